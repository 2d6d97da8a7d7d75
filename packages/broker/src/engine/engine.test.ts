// The engine as a whole: it agrees with a slow model, and breaks no law whatever comes.

import { TRANSITIONS } from '@tq/core'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anEngine } from '../../test/engine-builder.ts'
import { anyMove, type Move } from '../../test/engine-moves.ts'
import { Pair } from '../../test/engine-pair.ts'
import { SEED } from '../../test/property.ts'
import { apply } from './apply.ts'
import { Refusal } from './decision.ts'

describe('a step', () => {
  it('of time back is a bug of ours', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.tickMs -= 1

    expect(() => rig.add('mail')).toThrow('the tick clock never goes back')
  })

  it('may come while the wall clock steps back', () => {
    const rig = anEngine()
    rig.add('mail')
    rig.wallMs -= 3_600_000

    expect(() => rig.add('mail')).not.toThrow()
  })

  it('that is refused emits nothing', () => {
    const rig = anEngine()
    rig.register('w1')

    expect(rig.register('w1', { principal: 'mallory' })).toBeInstanceOf(Refusal)
    expect(rig.facts).toEqual([])
  })

  it('of the tick clock alone is a fact, so that it becomes durable', () => {
    const rig = anEngine()
    rig.pass(500)

    expect(rig.step<'tick'>({ kind: 'tick' })).toBeNull()
    expect(rig.facts).toEqual([{ kind: 'clock-ticked', tickMs: rig.tickMs }])
    expect(rig.state.tickMs).toBe(rig.tickMs)
  })

  it('refuses a command and a fact that it does not know', () => {
    const rig = anEngine()

    expect(() => rig.step({ kind: 'dance' } as never)).toThrow('unreachable')
    expect(() => apply(rig.state, { kind: 'danced' } as never)).toThrow('unreachable')
  })
})

describe('dirty rows', () => {
  it('are those that differ from the last commit, each once', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    rig.add('mail')
    rig.setPriority([id], 200)
    expect(rig.state.dirtyCount).toBe(2)

    expect(rig.state.takeDirty()).toEqual([0, 1])

    expect([rig.state.dirtyCount, rig.state.takeDirty()]).toEqual([0, []])
    rig.setPriority([id], 100)
    expect(rig.state.takeDirty()).toEqual([rig.row(id)])
  })

  it('are not those whose change a restart finds out again', () => {
    const rig = anEngine()
    rig.add('mail', { delayMs: 5 })
    rig.add('mail')
    const held = rig.leaseOne()
    rig.state.takeDirty()

    rig.pass(5).expire()
    rig.heartbeat([held])
    rig.progress([{ ...held, percent: 5, note: 'x' }])

    expect(rig.state.dirtyCount).toBe(0)
  })
})

describe('ended tasks', () => {
  it('stay in memory until their end is durable, and leave no trace afterwards', () => {
    const rig = anEngine()
    const id = rig.add('mail')
    const held = rig.leaseOne()
    rig.cancel([id], 'no longer wanted')
    rig.release([held])
    expect(rig.state.index.find(id)).toBe(0)

    rig.commit()

    const { state } = rig
    expect(state.index.find(id)).toBeUndefined()
    expect([
      state.tasks.count,
      state.ends.size,
      state.cancelNotes.size,
      state.profiles.size,
    ]).toEqual([0, 0, 0, 0])
  })

  it('are the only ones that may be forgotten', () => {
    const rig = anEngine()
    const id = rig.add('mail')

    expect(() => rig.engine.forget([rig.row(id)])).toThrow('only ended tasks are forgotten')
  })
})

/** One move, made on the engine and on its model alike. */
class MoveCommand implements fc.Command<object, Pair> {
  readonly #move: Move

  constructor(move: Move) {
    this.#move = move
  }

  check(): boolean {
    return true
  }

  run(_: object, pair: Pair): void {
    pair.make(this.#move)
  }

  toString(): string {
    return JSON.stringify(this.#move)
  }
}

const SHORT_LIVES = 300
const LONG_LIVES = 12
const MOVES_OF_A_LONG_LIFE = 1_200

describe('properties', () => {
  it('agrees with the model from the first step on, in many short lives', () => {
    const commands = fc.commands([anyMove.map((move) => new MoveCommand(move))], {
      maxCommands: 100,
      size: 'max',
    })
    const property = fc.property(commands, (moves) => {
      fc.modelRun(() => ({ model: {}, real: new Pair() }), moves)
    })
    fc.assert(property, { seed: SEED, numRuns: SHORT_LIVES })
  })

  it('agrees with the model in long lives, which together use every transition that there is', () => {
    const seen = new Set<string>()
    for (let life = 0; life < LONG_LIVES; life += 1) {
      const pair = new Pair()
      const seed = SEED + life
      const moves = fc.sample(anyMove, { seed, numRuns: MOVES_OF_A_LONG_LIFE })
      for (const [at, move] of moves.entries()) {
        try {
          pair.make(move)
        } catch (error) {
          throw new Error(`seed ${seed}, move ${at}: ${JSON.stringify(move)}`, { cause: error })
        }
      }
      for (const transition of pair.rig.watch.seen) seen.add(transition)
    }

    const all = Object.entries(TRANSITIONS).flatMap(([from, tos]) =>
      Object.entries(tos).flatMap(([to, reasons]) =>
        reasons.map((reason) => `${from} > ${to} ${reason}`),
      ),
    )
    // Only leased tasks are put into quarantine: that one transition is allowed but never used.
    const unused = all.filter((transition) => !seen.has(transition))
    expect(unused).toEqual(['queued > dead unreadable_payload'])
  })
})
