/**
 * One writer for many callers: jobs that arrive while a transaction is under way share the next one, so that the price of a flush
 * to disk is paid once for all of them. A job that refuses (throws an AppError) fails alone; any other failure undoes the
 * transaction and fails all its jobs.
 */
import { AppError } from '../errors.ts'

export interface WriteJob<T> {
  /** About how much it writes. */
  readonly bytes: number
  /** Runs inside the transaction. An AppError must leave behind only changes that may stay. */
  run(): T
  /** Runs when the transaction is durable. Must not throw. */
  done(result: T): void
}

interface Pending {
  readonly bytes: number
  run(): void
  resolve(): void
  reject(error: unknown): void
}

/** Bound how long the event loop runs inside one transaction; a larger job has one to itself. */
const maxJobs = 1_000
const maxBytes = 4 * 1024 * 1024

export interface GroupCommit {
  submit<T>(job: WriteJob<T>): Promise<T>
  /** Resolves when every job submitted so far has its answer. */
  idle(): Promise<void>
}

export function createGroupCommit(
  write: (work: () => void) => Promise<void>,
  hooks: { begin(): void; end(): void; committed(): void },
): GroupCommit {
  const queue: Pending[] = []
  let writing: Promise<void> | undefined

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      const group = queue.splice(0, groupSize(queue))
      let answers: (() => void)[] = []
      try {
        await write(() => {
          hooks.begin()
          answers = group.map(runJob)
          hooks.end()
        })
      } catch (error) {
        for (const pending of group) pending.reject(error)
        continue
      }
      hooks.committed()
      for (const answer of answers) answer()
    }
    writing = undefined
  }

  return {
    submit<T>(job: WriteJob<T>): Promise<T> {
      return new Promise<T>((resolve, reject) => {
        let result: T
        queue.push({
          bytes: job.bytes,
          run() {
            result = job.run()
          },
          resolve() {
            job.done(result)
            resolve(result)
          },
          reject,
        })
        writing ??= drain()
      })
    },
    async idle() {
      while (writing !== undefined) await writing
    },
  }
}

/** How many jobs from the front fit one transaction: one at least. */
function groupSize(queue: readonly Pending[]): number {
  let bytes = 0
  const first = queue.slice(0, maxJobs)
  const tooMuch = first.findIndex((job, i) => {
    bytes += job.bytes
    return i > 0 && bytes > maxBytes
  })
  return tooMuch < 0 ? first.length : tooMuch
}

function runJob(pending: Pending): () => void {
  try {
    pending.run()
    return pending.resolve
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return () => pending.reject(error)
  }
}
