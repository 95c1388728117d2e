/**
 * One writer for many callers: jobs that arrive while a transaction is under way share the next one, so that the price of a flush
 * to disk is paid once for all of them. A job that refuses (throws an AppError) fails alone; any other failure undoes the
 * transaction and fails all its jobs.
 */
import { AppError } from '../errors.ts'

export interface WriteJob<T> {
  /** Runs inside the transaction. An AppError must leave behind only changes that may stay. */
  run(): T
  /** Runs when the transaction is durable. Must not throw. */
  done(result: T): void
}

interface Pending {
  run(): void
  resolve(): void
  reject(error: unknown): void
}

/** Most jobs of one transaction: bounds how long the event loop runs inside it. */
const maxJobs = 1_000

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
      const group = queue.splice(0, maxJobs)
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

function runJob(pending: Pending): () => void {
  try {
    pending.run()
    return pending.resolve
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return () => pending.reject(error)
  }
}
