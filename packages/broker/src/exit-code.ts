// The exit codes of tq-broker, for supervisors. docs/operating.md shows the table.

export const EXIT_CODES = {
  ok: { code: 0, means: 'Stopped as asked, or printed what was asked.' },
  failed: {
    code: 1,
    means:
      'Failed while running: a commit failed, a bug, or stopping took too long. Or it could not start for what may pass: no space, too many open files, a read that failed. Start it again.',
  },
  usage: { code: 2, means: 'Wrong flags or configuration. Starting again does not help.' },
  store: {
    code: 3,
    means:
      'The data directory is in use, damaged, half restored, from a newer version, or cannot be opened. Starting again does not help.',
  },
  address: { code: 4, means: 'It cannot listen on its address: in use, or not of this machine.' },
} as const satisfies Record<string, { readonly code: number; readonly means: string }>

export type Exit = keyof typeof EXIT_CODES
