/**
 * The life of a worker process. It loads and proves its encoder, says so, and answers jobs one after another in the order they came.
 * Signals of the terminal go to the whole process group, but when to end is the parent's decision: a worker ends when the channel closes,
 * which the system does even for a parent that is killed, and at the latest when a thread beside it sees that the parent is gone (orphan-watch.ts).
 */
import { constants, setPriority } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { AppError, describeError } from '../../infra/errors.ts'
import { loadEncoder } from './load-encoder.ts'
import type { FromWorker, Provider, Refused, ToWorker, WorkerOptions } from './protocol.ts'
import { openProven } from './provider.ts'
import { createReader, type Reader } from './reader.ts'

export interface WorkerHooks {
  /** Before a job is read; what it throws fails the job. */
  readonly onJob?: (job: ToWorker) => void
}

/** In a process that was forked with serialization 'advanced'. Resolves when jobs can come, or when the encoder was refused. */
export async function runWorker(options: WorkerOptions, hooks: WorkerHooks = {}): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})
  process.once('disconnect', () => process.exit())
  // There is a worker for each core: pages, alerts and the writer go first.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL)
  new Worker(join(import.meta.dirname, 'orphan-watch.js'), { workerData: process.ppid }).unref()
  let reader: Reader
  try {
    const encoder = loadEncoder(options.folder)
    const { session, speed } = await openProven(encoder, options)
    const { manifest, tokenizer } = encoder
    reader = createReader({ ...manifest, ...options, tokenizer, session })
    say({
      type: 'ready',
      provider: options.provider,
      speed,
      memoryBytes: process.memoryUsage.rss(),
    })
  } catch (error) {
    say(refusalOf(error), () => process.disconnect())
    return
  }
  let previous = Promise.resolve()
  process.on('message', (message: ToWorker) => {
    previous = previous.then(async () => say(await answer(message)))
  })

  async function answer(message: ToWorker): Promise<FromWorker> {
    const { job, texts } = message
    try {
      hooks.onJob?.(message)
      const meter = startMeter(options.provider)
      const result = await reader.read(texts)
      const computeMs = meter()
      return { type: 'done', job, ...result, computeMs, memoryBytes: process.memoryUsage.rss() }
    } catch (error) {
      return { type: 'failed', job, message: describeError(error) }
    }
  }
}

/** Answers the compute since it was started, milliseconds. */
function startMeter(provider: Provider): () => number {
  const startedAt = performance.now()
  const before = process.cpuUsage()
  return () => {
    if (provider !== 'cpu') return performance.now() - startedAt
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1_000
  }
}

function refusalOf(error: unknown): Refused {
  const code = error instanceof AppError ? error.code : 'WORKER'
  return { type: 'refused', code, message: describeError(error) }
}

/** A message that cannot be sent has no one to read it: the channel is closed, and the process about to end. */
function say(message: FromWorker, then: () => void = () => {}): void {
  process.send?.(message, undefined, {}, then)
}
