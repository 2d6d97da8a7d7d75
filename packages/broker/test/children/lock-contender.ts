// Tries for the lock of a directory each time it is told to, and says how that went.

import { systemRandom } from '@tq/core'
import { DirectoryLock } from '../../src/storage/directory-lock.ts'

export interface Attempt {
  readonly outcome: 'ready' | 'won' | 'lost'
  readonly said: string
}

const [directory = ''] = process.argv.slice(2)

process.on('message', () => void acquire().then((attempt) => process.send?.(attempt)))
process.on('disconnect', () => process.exit())
process.send?.({ outcome: 'ready', said: '' } satisfies Attempt)

async function acquire(): Promise<Attempt> {
  try {
    await new DirectoryLock(directory, systemRandom).acquire()
    return { outcome: 'won', said: '' }
  } catch (error) {
    return { outcome: 'lost', said: String(error) }
  }
}
