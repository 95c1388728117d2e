/** What consumer groups have said of partitions of the embedded log, inside a write transaction. */
import { AppError } from '../errors.ts'
import type { Heads } from './heads.ts'
import type { GroupRow, Storage, TopicRow } from './storage.ts'

/** A consumer starts at `from`: retention keeps what is there, even below an earlier commit. */
export function assignInside(
  storage: Storage,
  topic: TopicRow,
  group: string,
  partition: number,
  from: number,
): void {
  const committed = groupRow(storage, topic, group, partition)?.committed ?? -1
  storage.groups.put([topic.id, group, partition], { committed, needs: from })
}

/** Throws `LOG` for an offset the partition does not have. */
export function commitInside(
  storage: Storage,
  heads: Heads,
  topic: TopicRow,
  group: string,
  partition: number,
  next: number,
): void {
  const { end } = heads.current(topic.id, partition)
  if (!(Number.isInteger(next) && next >= 0 && next <= end))
    throw new AppError(
      'LOG',
      `Group ${group} cannot commit ${next} of ${topic.name}/${partition}, which ends at ${end}`,
    )
  storage.groups.put([topic.id, group, partition], { committed: next, needs: next })
}

export function groupRow(
  storage: Storage,
  topic: TopicRow,
  group: string,
  partition: number,
): GroupRow | undefined {
  return storage.groups.get([topic.id, group, partition])
}
