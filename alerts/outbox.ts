/**
 * Sends what the journal holds as undelivered, with retry. A notification leaves the outbox by an entry in the notification
 * log: sent, or failed for good. A crash between the send and its entry repeats the message under the same id.
 */
import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Clock } from '../infra/clock.ts'
import { AppError, describeError } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'
import type { Channel } from './channels/channel.ts'
import type { AlertEvent } from './contract.ts'
import type { Journal, Notification } from './journal.ts'
import type { AlertMetrics } from './metrics.ts'

export interface OutboxOptions {
  readonly channel: Channel
  readonly journal: Pick<Journal, 'undelivered' | 'writeDelivery'>
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: AlertMetrics
  /** What is undelivered is left to another process while this one is not the one that sends. */
  isActive(): boolean
  readonly firstBackoffMs: number
  readonly maxAttempts: number
}

interface Try {
  readonly attempts: number
  /** Not to be tried again before. */
  readonly due: number
}

const maxBackoffMs = 5 * 60_000

/** People hear of a new alert and of its end; in between it is on the page. */
export function notificationsOf(
  event: AlertEvent,
  channels: readonly Channel[],
): readonly Notification[] {
  const isNews = event.state === 'resolved' || isFirstFiring(event)
  if (!isNews) return []
  return channels.map(({ name }) => ({
    id: createHash('sha256').update(`${event.id}/${name}`).digest('hex').slice(0, 20),
    channel: name,
    event,
  }))
}

const isFirstFiring = (event: AlertEvent): boolean =>
  event.state === 'firing' && event.previousState !== 'recovering'

/** The outbox of one channel: one that is down holds up no other, and one bad message no other message. */
export class Outbox {
  readonly #options: OutboxOptions
  readonly #tries = new Map<string, Try>()
  #stopped = false
  #wanted = false
  #interrupt = new AbortController()
  #running: Promise<void> | undefined

  constructor(options: OutboxOptions) {
    this.#options = options
  }

  /** Sends what there is, in the background; what comes meanwhile is not missed. */
  wake(): void {
    if (this.#stopped) return
    this.#wanted = true
    this.#interrupt.abort()
    this.#running ??= this.#run()
  }

  /** Resolves when nothing waits any more. */
  async settled(): Promise<void> {
    await this.#running
  }

  /** Resolves after the send in hand. Idempotent. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#interrupt.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#interrupt = new AbortController()
      this.#wanted = false
      const due = await this.#sendDue()
      if (due !== undefined) await this.#pause(due - this.#options.clock())
      else if (!this.#wanted) break
    }
    this.#running = undefined
  }

  /** Tries everything that is due; resolves with the time of the next try, `undefined` when nothing waits. */
  async #sendDue(): Promise<number | undefined> {
    const { journal, channel, clock, logger, firstBackoffMs, isActive } = this.#options
    const dues: number[] = []
    try {
      for (const notification of await journal.undelivered(channel.name)) {
        if (this.#stopped || !isActive()) return undefined
        const due = this.#tries.get(notification.id)?.due ?? 0
        const next = due > clock() ? due : await this.#send(notification)
        if (next !== undefined) dues.push(next)
      }
    } catch (error) {
      logger.error({ channel: channel.name, error: describeError(error) }, 'outbox failed')
      dues.push(clock() + firstBackoffMs)
    }
    return dues.length === 0 ? undefined : Math.min(...dues)
  }

  /** One try; resolves with the time of the next one, `undefined` when there will be none. */
  async #send(notification: Notification): Promise<number | undefined> {
    const { journal, channel, clock, logger, metrics, maxAttempts, firstBackoffMs } = this.#options
    const { id } = notification
    const attempts = (this.#tries.get(id)?.attempts ?? 0) + 1
    const failure = await attempt(channel, notification)
    const status = failure === undefined ? 'sent' : 'failed'
    metrics.sends.inc({ channel: channel.name, status })
    const error = failure === undefined ? '' : describeError(failure)
    const isFinal = failure === undefined || attempts >= maxAttempts || !isRetryable(failure)
    if (failure !== undefined)
      logger.warn({ notification: id, channel: channel.name, attempts, isFinal, error }, 'not sent')
    if (isFinal) {
      await journal.writeDelivery({ id, status, attempts, error }, clock())
      this.#tries.delete(id)
      return undefined
    }
    const due = clock() + Math.min(maxBackoffMs, firstBackoffMs * 2 ** (attempts - 1))
    this.#tries.set(id, { attempts, due })
    return due
  }

  async #pause(ms: number): Promise<void> {
    await sleep(Math.max(1, ms), undefined, { signal: this.#interrupt.signal }).catch(() => {})
  }
}

async function attempt(channel: Channel, message: Notification): Promise<unknown> {
  try {
    await channel.send(message)
    return undefined
  } catch (error) {
    return error ?? new Error('unknown failure')
  }
}

const isRetryable = (error: unknown): boolean => !(error instanceof AppError) || error.retryable
