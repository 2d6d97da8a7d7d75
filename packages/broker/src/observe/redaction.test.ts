// What a log line may show.

import { describe, expect, it } from 'vitest'
import { redact, redactFields } from './redaction.ts'

describe('redaction', () => {
  it('hides secrets and payloads, whatever they stand in', () => {
    const fields = {
      token: 'hunter2',
      nested: { accessToken: 'a', list: [{ Authorization: 'Bearer b' }] },
      payload: Uint8Array.of(1),
      result: { deep: 1 },
    }

    expect(redactFields(fields)).toEqual({
      token: '[redacted]',
      nested: { accessToken: '[redacted]', list: [{ Authorization: '[redacted]' }] },
      payload: '[redacted]',
      result: '[redacted]',
    })
  })

  it('shows fencing tokens, which are numbers', () => {
    expect(redact('token', 4_294_967_297)).toBe(4_294_967_297)
  })

  it('shows ids as text and long bytes as their number', () => {
    expect(redact('id', Uint8Array.of(0xab, 0x01))).toBe('ab01')
    expect(redact('data', new Uint8Array(33))).toBe('[33 bytes]')
  })

  it('shows errors with their code, stack and cause', () => {
    const error = Object.assign(new Error('no', { cause: new TypeError('because') }), {
      code: 'EIO',
    })

    expect(redact('error', error)).toMatchObject({
      type: 'Error',
      message: 'no',
      code: 'EIO',
      stack: expect.stringContaining('redaction.test') as string,
      cause: { type: 'TypeError', message: 'because' },
    })
  })

  it('is never endless', () => {
    const circular: Record<string, unknown> = {}
    circular['self'] = circular

    expect(JSON.stringify(redactFields(circular))).toContain('[deeper]')
    expect(redact('text', 'x'.repeat(10_000))).toHaveLength(4_097)
    expect(
      redact(
        'list',
        Array.from({ length: 1_000 }, (_, at) => at),
      ),
    ).toHaveLength(100)
  })

  it('leaves the rest as it is', () => {
    expect(redact('count', 5)).toBe(5)
    expect(redact('big', 10n)).toBe('10')
    expect(redact('none', null)).toBeNull()
    expect(redact('flag', true)).toBe(true)
  })
})
