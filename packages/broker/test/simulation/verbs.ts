// Every verb of the protocol: a long run uses each of them. The compiler sees to it that none is missing.

import type { Verb } from '@tq/core'

const ALL: Readonly<Record<Verb, true>> = {
  hello: true,
  ping: true,
  abort: true,
  register: true,
  leave: true,
  enqueue: true,
  claim: true,
  start: true,
  heartbeat: true,
  progress: true,
  complete: true,
  fail: true,
  release: true,
  cancel: true,
  redrive: true,
  'set-priority': true,
  get: true,
  wait: true,
  list: true,
  stats: true,
  workers: true,
  'startup-log': true,
  'queue-set': true,
  'queue-pause': true,
  'queue-resume': true,
  'queue-purge': true,
  backup: true,
}

export const VERBS: readonly Verb[] = Object.keys(ALL) as Verb[]
