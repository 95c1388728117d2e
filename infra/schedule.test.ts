import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { pino } from 'pino'
import { AppError } from './errors.ts'
import { silentLogger } from './logger.ts'
import { schedule } from './schedule.ts'

const everySecond = '* * * * * *'

describe('schedule', () => {
  it('refuses what is no cron expression', () => {
    assert.throws(
      () => schedule('every day', 'UTC', async () => {}, silentLogger),
      (error) => error instanceof AppError && error.code === 'CONFIG',
    )
  })

  it('skips runs while one is going on, and stops after the one in hand', async () => {
    const messages: string[] = []
    let sawSkip: () => void = () => {}
    const skipped = new Promise<void>((resolve) => {
      sawSkip = resolve
    })
    const logger = pino(
      { level: 'info' },
      {
        write: (line) => {
          messages.push(line)
          if (line.includes('skipped')) sawSkip()
        },
      },
    )
    let runs = 0
    let finished = false
    const job = schedule(
      everySecond,
      'UTC',
      async () => {
        runs += 1
        await skipped
        finished = true
      },
      logger,
    )
    await skipped
    await job.stop()
    await job.stop()
    assert.deepEqual([runs, finished], [1, true])
  })

  it('logs a failed run and goes on', async () => {
    const lines: string[] = []
    const logger = pino({ level: 'info' }, { write: (line) => lines.push(line) })
    let runs = 0
    await new Promise<void>((resolve) => {
      const job = schedule(
        everySecond,
        'UTC',
        async () => {
          runs += 1
          if (runs === 1) throw new Error('first run fails')
          void job.stop().then(resolve)
        },
        logger,
      )
    })
    assert.match(lines.join(''), /first run fails/)
  })

  it('begins no run that waits for its delay when it is stopped', async () => {
    let runs = 0
    let due: () => void = () => {}
    const asked = new Promise<void>((resolve) => {
      due = resolve
    })
    const job = schedule(
      everySecond,
      'UTC',
      async () => {
        runs += 1
      },
      silentLogger,
      {
        delayMs: () => {
          due()
          return 3_600_000
        },
      },
    )
    const [next = 0, later = 0] = job.nextRuns(2)
    assert.equal(later - next, 1_000)
    await asked
    await job.stop()
    assert.equal(runs, 0)
  })
})
