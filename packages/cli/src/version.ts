// The version that tq-admin tells of itself.

export const CLI_VERSION = '0.1.0'
