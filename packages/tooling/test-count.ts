// How many tests passed and failed, from vitest's JSON report.

export interface TestCount {
  readonly passed: number
  readonly failed: number
}

interface Report {
  readonly numPassedTests?: number
  readonly numFailedTests?: number
  readonly testResults?: readonly {
    readonly status?: string
    readonly assertionResults?: readonly unknown[]
  }[]
}

/** A file that could not even be loaded counts as a failure, and so does a run that went wrong. */
export function countTests(reportText: string, isSuccess: boolean): TestCount {
  const report = reportText === '' ? {} : (JSON.parse(reportText) as Report)
  const unloaded = (report.testResults ?? []).filter(
    ({ status, assertionResults = [] }) => status === 'failed' && assertionResults.length === 0,
  )
  const passed = report.numPassedTests ?? 0
  const failed = (report.numFailedTests ?? 0) + unloaded.length
  return { passed, failed: failed === 0 && !isSuccess ? 1 : failed }
}
