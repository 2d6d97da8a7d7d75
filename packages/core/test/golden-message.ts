// All golden messages of protocol 1, and how to make a frame of one.

import {
  encodePushFrame,
  encodeRefusalFrame,
  encodeReplyFrame,
  type ServerMessage,
} from '../src/protocol/codec.ts'
import { GOLDEN_OPERATOR_REPLIES } from './golden-operator-replies.ts'
import { GOLDEN_OPERATOR_REQUESTS } from './golden-operator-requests.ts'
import { GOLDEN_WORK_REPLIES, type GoldenReply } from './golden-work-replies.ts'
import { GOLDEN_WORK_REQUESTS, type GoldenRequest } from './golden-work-requests.ts'

export const GOLDEN_REQUESTS: readonly GoldenRequest[] = [
  ...GOLDEN_WORK_REQUESTS,
  ...GOLDEN_OPERATOR_REQUESTS,
]

export const GOLDEN_REPLIES: readonly GoldenReply[] = [
  ...GOLDEN_WORK_REPLIES,
  ...GOLDEN_OPERATOR_REPLIES,
]

export function encodeServerMessage(message: ServerMessage): Uint8Array {
  switch (message.kind) {
    case 'reply':
      return encodeReplyFrame(message.id, message.result, message.lsn)
    case 'refusal': {
      const { code, message: text, details } = message.error
      return encodeRefusalFrame(message.id, code, text, details)
    }
    case 'push':
      return encodePushFrame(message.channel, message.data)
  }
}
