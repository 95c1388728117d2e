import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Registry } from 'prom-client'
import { systemClock } from '../infra/clock.ts'
import { AppError } from '../infra/errors.ts'
import { silentLogger } from '../infra/logger.ts'
import type { Channel } from './channels/channel.ts'
import type { AlertState, SeriesState } from './contract.ts'
import { memoryJournal } from './engine.fixture.ts'
import { sampleEvent } from './event.fixture.ts'
import { createAlertMetrics } from './metrics.ts'
import { notificationsOf, Outbox, type OutboxOptions } from './outbox.ts'

/** Fails with the given errors first, then sends. */
function channelFailing(name: string, failures: Error[]): Channel & { readonly sent: string[] } {
  const sent: string[] = []
  return {
    name,
    sent,
    async send({ id }) {
      const failure = failures.shift()
      if (failure !== undefined) throw failure
      sent.push(id)
    },
    close: async () => {},
  }
}

const optionsOf = (journal: ReturnType<typeof memoryJournal>, channel: Channel): OutboxOptions => ({
  journal,
  channel,
  clock: systemClock,
  logger: silentLogger,
  metrics: createAlertMetrics(new Registry()),
  isActive: () => true,
  firstBackoffMs: 1,
  maxAttempts: 3,
})

const passing = () => new AppError('SMTP', 'busy', { retryable: true })
const final = () => new AppError('SMTP', 'refused')

describe('Outbox', () => {
  const table = [
    { name: 'sends', failures: [], status: 'sent', attempts: 1 },
    { name: 'tries again', failures: [passing(), passing()], status: 'sent', attempts: 3 },
    {
      name: 'gives up after the last try',
      failures: [passing(), passing(), passing()],
      status: 'failed',
      attempts: 3,
    },
    { name: 'does not try again in vain', failures: [final()], status: 'failed', attempts: 1 },
  ]
  for (const { name, failures, status, attempts } of table)
    it(name, async () => {
      const journal = memoryJournal()
      const channel = channelFailing('email', failures)
      const event = sampleEvent()
      await journal.writeEvents([event], notificationsOf(event, [channel]))
      const outbox = new Outbox(optionsOf(journal, channel))
      outbox.wake()
      await outbox.settled()
      assert.deepEqual(
        journal.deliveries.map((delivery) => [delivery.status, delivery.attempts]),
        [[status, attempts]],
      )
      assert.equal(channel.sent.length, status === 'sent' ? 1 : 0)
      assert.deepEqual(await journal.undelivered('email'), [])
    })

  it('repeats under the same id what was sent but not noted', async () => {
    const journal = memoryJournal()
    const channel = channelFailing('email', [])
    const event = sampleEvent()
    await journal.writeEvents([event], notificationsOf(event, [channel]))
    journal.failAt = { write: journal.writes + 1, takesEffect: false }
    const outbox = new Outbox(optionsOf(journal, channel))
    outbox.wake()
    await outbox.settled()
    assert.equal(channel.sent.length, 2)
    assert.equal(new Set(channel.sent).size, 1)
    assert.equal(journal.deliveries.length, 1)
  })

  it('leaves what waits to the process that sends', async () => {
    const journal = memoryJournal()
    const channel = channelFailing('email', [])
    const event = sampleEvent()
    await journal.writeEvents([event], notificationsOf(event, [channel]))
    const outbox = new Outbox({ ...optionsOf(journal, channel), isActive: () => false })
    outbox.wake()
    await outbox.settled()
    assert.deepEqual(channel.sent, [])
    assert.equal((await journal.undelivered('email')).length, 1)
  })

  it('does not let one bad message hold up another, and sends what comes while it waits', async () => {
    const journal = memoryJournal()
    let secondSent: () => void = () => {}
    const second = new Promise<void>((resolve) => {
      secondSent = resolve
    })
    const channel: Channel = {
      name: 'email',
      async send({ event }) {
        if (event.id === 'bad') throw passing()
        secondSent()
      },
      close: async () => {},
    }
    const outbox = new Outbox({ ...optionsOf(journal, channel), firstBackoffMs: 60_000 })
    const add = async (id: string) => {
      const event = sampleEvent({ id })
      await journal.writeEvents([event], notificationsOf(event, [channel]))
      outbox.wake()
    }
    await add('bad')
    await add('good')
    await second
    await outbox.stop()
    assert.equal((await journal.undelivered('email')).length, 1)
  })
})

describe('notificationsOf', () => {
  const channels = [channelFailing('email', []), channelFailing('print', [])]
  const table: { state: AlertState; previousState: SeriesState; expected: number }[] = [
    { state: 'firing', previousState: 'normal', expected: 2 },
    { state: 'firing', previousState: 'recovering', expected: 0 },
    { state: 'recovering', previousState: 'firing', expected: 0 },
    { state: 'resolved', previousState: 'recovering', expected: 2 },
  ]
  for (const { state, previousState, expected } of table)
    it(`tells ${expected} channels of ${previousState} -> ${state}`, () => {
      const notices = notificationsOf(sampleEvent({ state, previousState }), channels)
      assert.equal(new Set(notices.map(({ id }) => id)).size, expected)
    })
})
