// Why a broker did not start: the exit code, and a sentence that says what to do.

import { unreachable } from '@tq/core'
import type { BrokerConfig } from './config/config.ts'
import type { Exit } from './exit-code.ts'
import { adviceOnDamage } from './storage/advice.ts'
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
  if (error instanceof StoreError) return refusalOfStore(error, config.dataDir)
  if (!isSystemError(error)) return undefined
  const { code, syscall } = error
  if (syscall !== 'listen' && syscall !== 'getaddrinfo' && syscall !== 'bind') return undefined
  const isHttp = error.port === config.http.port && error.port !== config.port
  const flag = isHttp ? '--http-port' : '--port'
  const where = `${error.address ?? config.host}:${error.port ?? config.port}`
  return { exit: 'address', reason: `cannot listen on ${where}: ${adviceOn(code, flag)}` }
}

function refusalOfStore(error: StoreError, dataDir: string): StartRefusal {
  switch (error.code) {
    case 'CORRUPT':
    case 'GAP':
      return { exit: 'store', reason: `${asSentence(error.message)} ${adviceOnDamage(dataDir)}` }
    case 'IO':
      return mayPass(error)
        ? { exit: 'failed', reason: `${asSentence(error.message)} ${ADVICE_ON_PASSING}` }
        : { exit: 'store', reason: error.message }
    case 'LOCKED':
    case 'MISSING':
    case 'NEWER_FORMAT':
    case 'UNSUPPORTED_FILESYSTEM':
      return { exit: 'store', reason: error.message }
    default:
      return unreachable(error.code)
  }
}

const ADVICE_ON_PASSING =
  'It may pass by itself: start again. If it goes on, look at the health of the disk, and at how ' +
  'many files the process may open.'

function asSentence(text: string): string {
  return text.endsWith('.') ? text : `${text}.`
}

/** True for an error of the system or of LevelDB, or one that was caused by such an error. */
function hasNoSpace(error: unknown): error is Error {
  return isOf(error, { codes: NO_SPACE, said: NO_SPACE_SAID })
}

/** What another start may not meet: the disk answers again, another process has closed its files. */
function mayPass(error: unknown): boolean {
  return isOf(error, { codes: PASSING, said: PASSING_SAID })
}

const NO_SPACE: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT'])
const PASSING: ReadonlySet<string> = new Set(
  'EMFILE ENFILE EIO ENOMEM ENOBUFS EAGAIN EINTR EBUSY ETIMEDOUT ENXIO ENODEV ESTALE'.split(' '),
)
/** As the C library says it, which is all that LevelDB passes on. */
const NO_SPACE_SAID = /No space left on device|Disk quota exceeded/
const PASSING_SAID =
  /Too many open files|Input\/output error|Cannot allocate memory|No buffer space|Resource temporarily unavailable|Interrupted system call|resource busy|timed out|No such device|Stale file handle/

interface Kind {
  readonly codes: ReadonlySet<string>
  readonly said: RegExp
}

function isOf(error: unknown, kind: Kind): boolean {
  if (!(error instanceof Error)) return false
  if (kind.said.test(error.message)) return true
  return (isSystemError(error) && kind.codes.has(error.code)) || isOf(error.cause, kind)
}

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
