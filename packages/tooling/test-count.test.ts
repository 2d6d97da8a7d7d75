// The last line of a test run.

import { describe, expect, it } from 'vitest'
import { countTests } from './test-count.ts'

describe('the count of tests', () => {
  it('is that of the report', () => {
    const report = JSON.stringify({ numPassedTests: 5, numFailedTests: 2, testResults: [] })

    expect(countTests(report, false)).toEqual({ passed: 5, failed: 2 })
  })

  it('counts a file that could not be loaded as a failure', () => {
    const failed = { status: 'failed', assertionResults: [] }
    const passed = { status: 'passed', assertionResults: [{}] }
    const report = JSON.stringify({ numPassedTests: 5, testResults: [failed, passed] })

    expect(countTests(report, false)).toEqual({ passed: 5, failed: 1 })
  })

  it('never says that all is well of a run that went wrong', () => {
    expect(countTests('', false)).toEqual({ passed: 0, failed: 1 })
    expect(countTests('{"numPassedTests":5}', false)).toEqual({ passed: 5, failed: 1 })
    expect(countTests('{"numPassedTests":5}', true)).toEqual({ passed: 5, failed: 0 })
  })
})
