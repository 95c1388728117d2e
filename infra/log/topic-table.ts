/** The topics of the embedded log and who reads them in this process. */
import { AppError } from '../errors.ts'
import type { TopicSpec } from './log.ts'
import type { PartitionReader } from './partition-reader.ts'
import type { Storage, TopicRow } from './storage.ts'

export class TopicTable {
  readonly #rows = new Map<string, TopicRow>()
  readonly #readers = new Map<string, Set<PartitionReader>>()

  constructor(storage: Storage) {
    for (const { value } of storage.topics.all()) this.adopt(value)
  }

  adopt(row: TopicRow): void {
    this.#rows.set(row.name, row)
  }

  all(): TopicRow[] {
    return [...this.#rows.values()]
  }

  /** Throws `LOG` for an unknown one. */
  get(name: string): TopicRow {
    const row = this.#rows.get(name)
    if (row === undefined) throw new AppError('LOG', `There is no topic ${JSON.stringify(name)}`)
    return row
  }

  /** The partition's running readers. */
  readers(topic: string, partition: number): Set<PartitionReader> {
    const key = `${topic}/${partition}`
    const known = this.#readers.get(key) ?? new Set()
    this.#readers.set(key, known)
    return known
  }

  allReaders(): PartitionReader[] {
    return [...this.#readers.values()].flatMap((readers) => [...readers])
  }
}

/** Inside a write transaction: the topic's row, new or with another retention. Throws `LOG` for another number of partitions. */
export function saveTopicInside(storage: Storage, spec: TopicSpec): TopicRow {
  const known = storage.topics.get([spec.name])
  if (known !== undefined && known.partitions !== spec.partitions)
    throw new AppError(
      'LOG',
      `The topic ${spec.name} has ${known.partitions} partitions, not ${spec.partitions}: their number is fixed at its creation`,
    )
  const row: TopicRow = {
    name: spec.name,
    id: known?.id ?? [...storage.topics.all()].length,
    partitions: spec.partitions,
    retentionMs: spec.retentionMs ?? null,
    retentionBytes: spec.retentionBytes ?? null,
  }
  storage.topics.put([spec.name], row)
  return row
}
