// Why a broker did not start: the exit code, and a sentence that says what to do.

import type { BrokerConfig } from './config/config.ts'
import type { Exit } from './exit-code.ts'
import { StoreError } from './storage/port.ts'

export interface StartRefusal {
  readonly exit: Exit
  readonly reason: string
}

/** What an error of the start means; undefined if it is a bug. */
export function startRefusalOf(error: unknown, config: BrokerConfig): StartRefusal | undefined {
  // Unlike what else is wrong with a store, space comes back by itself: a supervisor shall try again.
  if (hasNoSpace(error)) {
    const advice = 'Make room on the disk: a start needs some, to sort what was written last.'
    return { exit: 'failed', reason: `${error.message}. ${advice}` }
  }
  if (error instanceof StoreError) return { exit: 'store', reason: error.message }
  if (!isSystemError(error)) return undefined
  const { code, syscall } = error
  if (syscall !== 'listen' && syscall !== 'getaddrinfo' && syscall !== 'bind') return undefined
  const isHttp = error.port === config.http.port && error.port !== config.port
  const flag = isHttp ? '--http-port' : '--port'
  const where = `${error.address ?? config.host}:${error.port ?? config.port}`
  return { exit: 'address', reason: `cannot listen on ${where}: ${adviceOn(code, flag)}` }
}

/** True for an error of the system or of LevelDB, or one that was caused by such an error. */
function hasNoSpace(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  if (NO_SPACE.test(error.message)) return true
  if (isSystemError(error) && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) return true
  return hasNoSpace(error.cause)
}

/** As the C library says it, which is all that LevelDB passes on. */
const NO_SPACE = /No space left on device|Disk quota exceeded/

function adviceOn(code: string, flag: string): string {
  switch (code) {
    case 'EADDRINUSE':
      return `the address is in use, perhaps by another broker; stop that one, or choose ${flag}`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `this machine has no such address (${code}); correct the host`
    case 'EACCES':
      return `this user may not listen on that port; choose ${flag} above 1023`
    default:
      return `the system says ${code}`
  }
}

interface SystemError extends Error {
  readonly code: string
  readonly syscall?: string
  readonly address?: string
  readonly port?: number
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}
