// Requests as they stand on the wire: arguments by name, tasks as arrays.

import { unreachable } from '../invariant.ts'
import type { FrameWriter } from './msgpack-writer.ts'
import type { Completion, Failure, HeldTask, Progress, Request, TaskSpec } from './request.ts'

type Listing = Extract<Request, { tasks: readonly unknown[] }>

/** Writes the arguments of a request: a map of its fields, without the verb. */
export function writeArguments(writer: FrameWriter, request: Request): void {
  const fields = request as unknown as Readonly<Record<string, unknown>>
  const names = Object.keys(fields)
  let count = 0
  for (const name of names) if (name !== 'verb' && fields[name] !== undefined) count += 1
  writer.writeMapHead(count)
  for (const name of names) {
    if (name === 'verb' || fields[name] === undefined) continue
    writer.writeString(name)
    if (name === 'tasks') writeTasks(writer, request as Listing)
    else if (name === 'leases') writeEach(writer, fields[name] as readonly HeldTask[], writeHeld)
    else writer.writeValue(fields[name])
  }
}

function writeTasks(writer: FrameWriter, request: Listing): void {
  switch (request.verb) {
    case 'enqueue':
      return writeEach(writer, request.tasks, writeSpec)
    case 'start':
    case 'release':
      return writeEach(writer, request.tasks, writeHeld)
    case 'complete':
      return writeEach(writer, request.tasks, writeCompletion)
    case 'fail':
      return writeEach(writer, request.tasks, writeFailure)
    case 'progress':
      return writeEach(writer, request.tasks, writeProgress)
    default:
      return unreachable(request)
  }
}

function writeEach<Item>(
  writer: FrameWriter,
  items: readonly Item[],
  writeItem: (writer: FrameWriter, item: Item) => void,
): void {
  writer.writeArrayHead(items.length)
  for (const item of items) writeItem(writer, item)
}

function writeSpec(writer: FrameWriter, spec: TaskSpec): void {
  writer.writeArrayHead(4)
  if (spec.id === undefined) writer.writeNil()
  else writer.writeBytes(spec.id)
  writer.writeString(spec.type)
  writer.writeBytes(spec.payload)
  writer.writeValue(spec.options)
}

function writeHeld(writer: FrameWriter, held: HeldTask): void {
  writer.writeArrayHead(2)
  writer.writeBytes(held.id)
  writer.writeNumber(held.token)
}

function writeCompletion(writer: FrameWriter, completion: Completion): void {
  writer.writeArrayHead(3)
  writer.writeBytes(completion.id)
  writer.writeNumber(completion.token)
  if (completion.result === undefined) writer.writeNil()
  else writer.writeBytes(completion.result)
}

function writeFailure(writer: FrameWriter, failure: Failure): void {
  const { id, token, error, retryable, retryAfterMs } = failure
  writer.writeArrayHead(4)
  writer.writeBytes(id)
  writer.writeNumber(token)
  writer.writeValue(error)
  if (retryable === undefined && retryAfterMs === undefined) writer.writeNil()
  else writer.writeValue({ retryable, retryAfterMs })
}

function writeProgress(writer: FrameWriter, progress: Progress): void {
  writer.writeArrayHead(4)
  writer.writeBytes(progress.id)
  writer.writeNumber(progress.token)
  writer.writeValue(progress.percent)
  writer.writeValue(progress.note)
}
