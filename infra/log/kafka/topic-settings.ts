/** The settings of our topics on a cluster: what they are created with, and what is refused of those that exist. */
import type { TopicSpec } from '../log.ts'
import { isFolded } from '../topic-spec.ts'
import type { NewTopic, TopicDescription } from './driver.ts'

/** A foreign record of Kafka's default limit still fits with what is said about it. */
const createdMessageBytes = 2 * 1024 * 1024
/** A post of 20,000 characters fits several times over. */
const leastMessageBytes = 1024 * 1024

export interface CreationOptions {
  readonly replicationFactor: number
  /** 0: the cluster's default. */
  readonly minInsyncReplicas: number
}

/** `name` is the one on the cluster. */
export function newTopic(name: string, spec: TopicSpec, options: CreationOptions): NewTopic {
  const { replicationFactor, minInsyncReplicas } = options
  const bytesOfPartition =
    spec.retentionBytes === undefined ? -1 : Math.ceil(spec.retentionBytes / spec.partitions)
  return {
    name,
    partitions: spec.partitions,
    replicationFactor,
    config: {
      'message.timestamp.type': 'LogAppendTime',
      'cleanup.policy': 'delete',
      'retention.ms': String(Math.round(spec.retentionMs ?? -1)),
      'retention.bytes': String(bytesOfPartition), // Kafka counts them by partition
      'max.message.bytes': String(createdMessageBytes),
      ...(minInsyncReplicas === 0 ? {} : { 'min.insync.replicas': String(minInsyncReplicas) }),
    },
  }
}

/** One phrase a fault, each with how to mend it. */
export function topicFaults(
  name: string,
  spec: TopicSpec,
  found: TopicDescription | undefined,
): string[] {
  if (found === undefined)
    return [
      `${name} is missing: create it with ${spec.partitions} partitions and message.timestamp.type=LogAppendTime, or let kafka.createTopics do so`,
    ]
  const faults: string[] = []
  if (found.partitions !== spec.partitions)
    faults.push(
      `${name} has ${found.partitions} partitions, not ${spec.partitions}: their number is fixed at its creation, so set log.partitions to it or name other topics with kafka.topicPrefix`,
    )
  if (found.config === undefined)
    return [...faults, `the settings of ${name} are hidden: allow this user DescribeConfigs on it`]
  return [...faults, ...settingFaults(name, spec, found.config)]
}

/** Of the topic's largest batch; Kafka's default where it is not told. */
export function maxMessageBytesOf(found: TopicDescription): number {
  return Number(found.config?.get('max.message.bytes') ?? 1_048_588)
}

function settingFaults(
  name: string,
  spec: TopicSpec,
  config: ReadonlyMap<string, string>,
): string[] {
  const faults: string[] = []
  const wanted = (setting: string, value: string, why: string): void => {
    const actual = config.get(setting)
    if (actual !== undefined && actual !== value)
      faults.push(`${name} has ${setting}=${actual}: set it to ${value}, ${why}`)
  }
  wanted('message.timestamp.type', 'LogAppendTime', 'for times of arrival are taken from it')
  wanted('cleanup.policy', 'delete', 'for compaction would remove records that count')
  if (isFolded(spec.name)) {
    wanted('retention.ms', '-1', 'for state is rebuilt from all of it')
    wanted('retention.bytes', '-1', 'for state is rebuilt from all of it')
  }
  const largest = Number(config.get('max.message.bytes') ?? leastMessageBytes)
  if (largest < leastMessageBytes)
    faults.push(`${name} has max.message.bytes=${largest}: raise it to ${createdMessageBytes}`)
  return faults
}
