/** The fold as the newest usable snapshot has it. What cannot be used is left, with a word in the log: the topic has it all. */
import type { Log } from '../../../infra/log/log.ts'
import { topics } from '../../../infra/log/log.ts'
import type { Logger } from '../../../infra/logger.ts'
import { recordDigest, WeightFold } from './fold.ts'
import type { WeightModel } from './model.ts'
import { decodeState } from './snapshot.ts'
import type { SnapshotTable } from './snapshot-table.ts'

export interface RestoreDeps {
  readonly log: Pick<Log, 'follow' | 'endOffsets'>
  readonly table: SnapshotTable
  readonly model: WeightModel
  readonly logger: Logger
}

/** An empty fold when there is none. */
export async function restoreFold(deps: RestoreDeps): Promise<WeightFold> {
  const { log, table, model, logger } = deps
  const [end = 0] = await log.endOffsets(topics.feedback)
  for (const offset of await table.offsets()) {
    if (offset >= end) {
      logger.warn({ offset, end }, 'a snapshot of weights is ahead of the log: not used')
      continue
    }
    const state = decodeState((await table.read(offset)) ?? '', model)
    if (state === undefined || state.version !== offset) {
      logger.warn({ offset }, 'a snapshot of weights is damaged: not used')
      continue
    }
    if (state.digest !== (await digestAt(log, offset))) {
      logger.warn({ offset }, 'a snapshot of weights is of another log: not used')
      continue
    }
    return new WeightFold(model, state)
  }
  const others = await table.others()
  if (others > 0)
    logger.info({ others }, 'snapshots of weights are of other experts: all feedback is read again')
  return new WeightFold(model)
}

/** Of the record at `offset`, which is below the end; '' or another's where it has gone. */
async function digestAt(log: RestoreDeps['log'], offset: number): Promise<string> {
  let found: (digest: string) => void = () => {}
  const digest = new Promise<string>((resolve) => (found = resolve))
  const follower = await log.follow(topics.feedback, [offset], async ({ records: [first] }) => {
    found(first === undefined ? '' : recordDigest(first.value))
  })
  try {
    return await digest
  } finally {
    await follower.stop()
  }
}
