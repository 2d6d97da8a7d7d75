// What a reader may have missed stays until it has ended.

import { describe, expect, it } from 'vitest'
import { FetchWindow } from './fetch-window.ts'

describe('a fetch window', () => {
  it('runs at once what nobody who reads could miss', () => {
    const window = new FetchWindow()
    const ran: string[] = []

    window.whenQuiet(() => ran.push('now'))

    expect(ran).toEqual(['now'])
  })

  it('waits for all reads that began before, and for none that began after', () => {
    const window = new FetchWindow()
    const ran: string[] = []
    const first = window.begin()
    const second = window.begin()

    window.whenQuiet(() => ran.push('after both'))
    const third = window.begin()
    window.end(second)
    expect(ran).toEqual([])
    window.end(first)

    expect(ran).toEqual(['after both'])
    window.end(third)
  })

  it('runs what waits in the order in which it came, as far as reads have ended', () => {
    const window = new FetchWindow()
    const ran: string[] = []
    const first = window.begin()
    window.whenQuiet(() => ran.push('one'))
    const second = window.begin()
    window.whenQuiet(() => ran.push('two'))
    const third = window.begin()
    window.whenQuiet(() => ran.push('three'))

    window.end(second)
    expect(ran).toEqual([])
    window.end(first)
    expect(ran).toEqual(['one', 'two'])
    window.end(third)

    expect(ran).toEqual(['one', 'two', 'three'])
  })

  it('refuses that a read ends twice', () => {
    const window = new FetchWindow()
    const ticket = window.begin()
    window.end(ticket)

    expect(() => window.end(ticket)).toThrow('a read ends once')
  })
})
