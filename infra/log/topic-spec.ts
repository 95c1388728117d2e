/** Rules for topics that hold whatever the broker: every adapter's `ensureTopics` asks here first. */
import { AppError } from '../errors.ts'
import { type TopicSpec, topics } from './log.ts'

/** Kafka's rule for topic names, also held to for groups: they become file names, keys and metric labels. */
const legalName = /^[A-Za-z0-9._-]{1,249}$/

/** Weights, alert states and what became of dead letters are folds over the whole of these, in one total order. */
const foldedTopics: ReadonlySet<string> = new Set([topics.feedback, topics.control, topics.dead])

/** Whether state is rebuilt from all of this topic. */
export function isFolded(name: string): boolean {
  return foldedTopics.has(name)
}

/** Throws `LOG` with every fault of every spec. */
export function checkTopicSpecs(specs: readonly TopicSpec[]): void {
  const faults = specs.flatMap(faultsOf)
  if (faults.length > 0) throw new AppError('LOG', `Refused topics: ${faults.join('; ')}`)
}

/** Throws `LOG` for a name that is not letters, digits, dots, underscores and hyphens. */
export function checkName(kind: 'topic' | 'group', name: string): void {
  if (!legalName.test(name)) throw new AppError('LOG', `${JSON.stringify(name)} names no ${kind}`)
}

function faultsOf(spec: TopicSpec): string[] {
  const name = JSON.stringify(spec.name)
  const faults: string[] = []
  if (!legalName.test(spec.name)) faults.push(`${name} is no topic name`)
  if (!Number.isInteger(spec.partitions) || spec.partitions < 1 || spec.partitions > 1024)
    faults.push(`${name} needs 1 to 1024 partitions, not ${spec.partitions}`)
  for (const limit of ['retentionMs', 'retentionBytes'] as const)
    if (spec[limit] !== undefined && !(spec[limit] > 0))
      faults.push(`${name} has a ${limit} that is not above 0`)
  if (!isFolded(spec.name)) return faults
  if (spec.partitions !== 1) faults.push(`${name} needs one partition: its order is total`)
  if (spec.retentionMs !== undefined || spec.retentionBytes !== undefined)
    faults.push(`${name} needs unlimited retention: state is rebuilt from all of it`)
  return faults
}
