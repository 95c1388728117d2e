/** A way to tell people. */
import type { AlertEvent } from '../contract.ts'

export interface Message {
  /** Stable: a repeat after a crash carries the same id, so that receivers can drop it. */
  readonly id: string
  readonly event: AlertEvent
}

export interface Channel {
  readonly name: string
  /** Rejects with an AppError whose `retryable` tells whether trying again can help. */
  send(message: Message): Promise<void>
  close(): Promise<void>
}
