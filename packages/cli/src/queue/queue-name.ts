// Names of queues in arguments, refused before anything is sent.

import { isQueueName, limits } from '@tq/core'
import { InvalidArgumentError } from 'commander'

export function parseQueueName(text: string): string {
  if (isQueueName(text)) return text
  throw new InvalidArgumentError(
    `A queue's name begins with a letter or digit, goes on with letters, digits and _ . : / - and has at most ${limits.QUEUE_NAME_BYTES_MAX} characters.`,
  )
}
