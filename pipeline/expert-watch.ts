/** Says once that an expert fails and why, and once that it answers again, however many batches that takes. */
import type { Clock } from '../infra/clock.ts'
import { AppError, describeError } from '../infra/errors.ts'
import type { Logger } from '../infra/logger.ts'

export interface ExpertWatch {
  failed(expert: string, error: unknown): void
  answered(expert: string): void
}

/** Several partitions ask at once, and a full queue refuses some of them: answers between refusals are no recovery. */
const quietMs = 10_000

export function createExpertWatch({
  clock,
  logger,
}: {
  readonly clock: Clock
  readonly logger: Logger
}): ExpertWatch {
  const failing = new Map<string, { conditions: ReadonlySet<string>; at: number }>()
  return {
    failed(expert, error) {
      const condition = error instanceof AppError ? error.code : describeError(error)
      const known = failing.get(expert)?.conditions ?? new Set()
      failing.set(expert, { conditions: new Set([...known, condition]), at: clock() })
      if (!known.has(condition))
        logger.warn(
          { expert, error: describeError(error) },
          'an expert fails: posts are judged without it',
        )
    },
    answered(expert) {
      const failure = failing.get(expert)
      if (failure === undefined || clock() - failure.at < quietMs) return
      failing.delete(expert)
      logger.info({ expert }, 'an expert answers again')
    },
  }
}
