// One record of each kind and version, byte by byte, as it was released: it is read for ever.

export interface GoldenRecord {
  /** Hex digits with spaces and line ends to read them by. */
  readonly key: string
  readonly value: string
}

/** A profile with nothing at its default. */
export const PROFILE: string =
  '{"q":7,"t":"résize","r":[["gpu",true],["zone","eu"]],"a":9,"l":8,' +
  '"p":{"kind":"fixed","baseMs":1000,"factor":2,"capMs":3600000,"jitter":0.1,"notRetryable":[]}}'

/** Version 1. What is text in a record is text here. */
export const GOLDEN_RECORDS = {
  'task, waiting': {
    key: '01 039b 01a3185c50007000b9b0000000000001',
    value: `4e037812 01
    02 c8 02 0001 0002 00000004 00000003 00100000 0036ee80
    41f0000000900000 427a3185d3a60000 427a3185d3a60000 427a3185daf90000 427a3185c5000000
    0015 ${utf8('{"q":7,"t":"résize"}')}`,
  },
  'task, held': {
    key: '01 039b 01a3185c50007000b9b0000000000001',
    value: `cc5455f5 01
    05 c8 01 0001 0002 00000004 00000003 00100000 0036ee80
    41f0000000900000 427a3185d3a60000 427a3185d3a60000 427a3185daf90000 427a3185c5000000
    009f ${utf8(PROFILE)}
    a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 41f0000000500000 4200000000000000 00003a98
    427a3185c5001000 427a3185c5002000 414b774500000000
    0003 ${utf8('nö')}`,
  },
  'done, dead': {
    key: '03 039b 01a3185c50007000b9b0000000000001',
    value: `0014cb57 01
    08 c8 02 0001 0002 00000004 00000003 00100000 0036ee80
    41f0000000900000 427a3185d3a60000 427a3185d3a60000 427a3185daf90000 427a3185c5000000
    0015 ${utf8('{"q":7,"t":"résize"}')}
    0c 427a3185c5009000 0005 ${utf8('alice')} 07
    00000001 c0
    0000003d ${utf8('{"error":{"message":"it broke","type":"Broken"},"note":"nö"}')}
    00000004 41f0000000500000 427a3185c5001000 427a3185c5002000 0007 ${utf8('wörker')}`,
  },
  'done, expired': {
    key: '03 039b 01a3185c50007000b9b0000000000001',
    value: `4adc6931 01
    0a c8 02 0001 0002 00000004 00000003 00100000 0036ee80
    41f0000000900000 427a3185d3a60000 427a3185d3a60000 427a3185daf90000 427a3185c5000000
    0015 ${utf8('{"q":7,"t":"résize"}')}
    10 427a3185c5009000 0005 ${utf8('alice')} 00`,
  },
  'payload, plain': {
    key: '02 039b 01a3185c50007000b9b0000000000001',
    value: `835ea675 01 00000000 920102`,
  },
  'payload, with meta': {
    key: '02 039b 01a3185c50007000b9b0000000000001',
    value: `d62c4928 01
    000000a6 ${utf8(
      '{"headers":{"x-ü":"☃"},"trace":{"traceparent":"00-0af7-b7ad-01","tracestate":"a=b"},' +
        '"idempotencyKey":"kéy","durationHintMs":1500,"sizeHintBytes":9007199254740991}',
    )}
    920102`,
  },
  history: {
    key: '05 039b 01a3185c50007000b9b0000000000001 00000002',
    value: `bef81b73 01 ${utf8(
      '{"attempt":2,"generation":1,"transitions":[' +
        '{"state":"assigned","reason":"claimed","atMs":1800000000000},' +
        '{"state":"running","reason":"started","atMs":1800000000000},' +
        '{"state":"retrying","reason":"failed","atMs":1800000000005}],' +
        '"worker":"wörker","token":4294967301,' +
        '"error":{"message":"it broke","type":"Broken","stack":"at x"}}',
    )}`,
  },
  queue: {
    key: '08 039b 00000007',
    value: `5a54b3c3 01 ${utf8(
      '{"number":7,"name":"images/large","settings":{"order":"aging","agingMsPerLevel":60000,' +
        '"tasksMax":10000000,"maxAttempts":5,"maxLost":3,"retry":{"kind":"exponential",' +
        '"baseMs":5000,"factor":2,"capMs":3600000,"jitter":0.1,"notRetryable":[]},' +
        '"retentionMs":86400000,"retentionCount":100000,"deadRetentionMs":2592000000,' +
        '"deadRetentionCount":100000,"timeouts":{"résize*":{"kind":"fixed","ms":5}}},' +
        '"paused":true,"pauseReason":"päuse"}',
    )}`,
  },
  session: {
    key: '09 0000 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf',
    value: `77b79220 01 ${utf8('{"id":"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf","principal":"alice"}')}`,
  },
  'session, worker': {
    key: '09 0000 a0a1a2a3a4a5a6a7a8a9aaabacadaeaf',
    value: `4e0ed32d 01 ${utf8(
      '{"id":"a0a1a2a3a4a5a6a7a8a9aaabacadaeaf","principal":"alice","worker":{"name":"wörker",' +
        '"version":"1.2.3","labels":{"gpu":true,"n":4},"slots":8}}',
    )}`,
  },
  dedupe: {
    key: '06 039b 00000007 6bc3a979',
    value: `2d6ac1df 01 01a3185c50007000b9b0000000000001
    000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f`,
  },
  engine: {
    key: '00 656e67696e65',
    value: `458499ff 01
    40fe240000000000 427a3185c5000000 41f0000000500000 41f0000000a00000
    4020000000000000 408c200000000000 4089000000000000`,
  },
  journal: {
    key: '0a 0000 0000000000000385',
    value: `312d1956 01 427a3185c5000000 40fe240000000000 00000005
    01 0016 01a3185c50007000b9b0000000000001
      00000007 c8 427a3185d3a60000 0007 ${utf8('résize')}
    03 0020 01a3185c50007000b9b0000000000001
      a0a1a2a3a4a5a6a7a8a9aaabacadaeaf 41f0000000500000 414b774500000000
    07 000a 01a3185c50007000b9b0000000000001 07 05 41f0000000500000
    07 006f 01a3185c50007000b9b0000000000001 ${utf8(
      '{"counts":"nothing","note":"nö","atMs":1800000000009,"actor":"alice",' +
        '"state":"cancelled","reason":"cancelled"}',
    )}
    15 0011 00000000000000000000000000000000 ${utf8('{"tickMs":123456}')}`,
  },
  'journal, empty': {
    key: '0a 0000 0000000000000385',
    value: `60056b35 01 0000000000000000 4053400000000000 00000000`,
  },
} as const satisfies Record<string, GoldenRecord>

function utf8(text: string): string {
  return Buffer.from(text).toString('hex')
}
