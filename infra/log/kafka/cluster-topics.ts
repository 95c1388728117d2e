/** The topics of the log on the cluster: made and checked, and once known, remembered. */
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../errors.ts'
import type { Logger } from '../../logger.ts'
import type { TopicSpec } from '../log.ts'
import { checkName } from '../topic-spec.ts'
import { AppendQueue } from './append-queue.ts'
import type { KafkaDriver } from './driver.ts'
import { type CreationOptions, maxMessageBytesOf, newTopic, topicFaults } from './topic-settings.ts'

/** How long a new topic is waited for, in all 10 s. */
const newTopicLooks = 50
const newTopicLookMs = 200
/** A larger send would only wait longer. */
const sendBytes = 1024 * 1024

export interface ClusterTopicsDeps {
  readonly driver: KafkaDriver
  readonly options: CreationOptions & { readonly createTopics: boolean }
  /** The name on the cluster. */
  named(name: string): string
  readonly logger: Logger
}

export interface ClusterTopic {
  /** Fixed at the topic's creation. */
  readonly partitions: number
  readonly maxMessageBytes: number
  /** By partition. */
  readonly queues: readonly AppendQueue[]
}

export class ClusterTopics {
  readonly #deps: ClusterTopicsDeps
  readonly #known = new Map<string, ClusterTopic>()

  constructor(deps: ClusterTopicsDeps) {
    this.#deps = deps
  }

  /** Throws `LOG` with every fault. */
  async ensure(specs: readonly TopicSpec[]): Promise<void> {
    const { driver, options, named } = this.#deps
    const names = specs.map(({ name }) => named(name))
    const before = await driver.describeTopics(names)
    const missing = specs.filter(({ name }) => !before.has(named(name)))
    const created = options.createTopics && (await this.#create(missing))
    const found = created ? await this.#allOf(names) : before
    const faults = specs.flatMap((spec) => {
      const name = named(spec.name)
      return topicFaults(name, spec, found.get(name))
    })
    if (faults.length > 0) throw new AppError('LOG', `Refused topics: ${faults.join('; ')}`)
  }

  /** Throws `LOG` for an unknown one. */
  async get(name: string): Promise<ClusterTopic> {
    const known = this.#known.get(name)
    if (known !== undefined) return known
    checkName('topic', name)
    const onCluster = this.#deps.named(name)
    const found = (await this.#deps.driver.describeTopics([onCluster])).get(onCluster)
    if (found === undefined)
      throw new AppError('LOG', `There is no topic ${JSON.stringify(onCluster)}`)
    const asked = this.#known.get(name) // two queues of one partition would mix up its order
    if (asked !== undefined) return asked
    const { partitions } = found
    const maxMessageBytes = maxMessageBytesOf(found)
    const maxBytes = Math.min(sendBytes, maxMessageBytes)
    const queues = Array.from(
      { length: partitions },
      (_, partition) =>
        new AppendQueue({
          maxBytes,
          send: (records) => this.#deps.driver.send(onCluster, partition, records),
        }),
    )
    const topic: ClusterTopic = { partitions, maxMessageBytes, queues }
    this.#known.set(name, topic)
    return topic
  }

  /** Resolves when no append waits. */
  async idle(): Promise<void> {
    const queues = [...this.#known.values()].flatMap((topic) => topic.queues)
    await Promise.all(queues.map((queue) => queue.idle()))
  }

  /** Whether there are new ones. */
  async #create(missing: readonly TopicSpec[]): Promise<boolean> {
    const { driver, options, named, logger } = this.#deps
    if (missing.length === 0) return false
    const topics = missing.map((spec) => newTopic(named(spec.name), spec, options))
    if (await driver.createTopics(topics)) return true
    logger.warn({ topics: topics.map(({ name }) => name) }, 'topics may not be created: checking')
    return false
  }

  /** Brokers learn of a new topic a little later than the one that made it, and lead its partitions a little later again. */
  async #allOf(names: readonly string[]): ReturnType<KafkaDriver['describeTopics']> {
    let found = await this.#deps.driver.describeTopics(names)
    for (let i = 0; !(await this.#areLed(names, found)) && i < newTopicLooks; i++) {
      await delay(newTopicLookMs)
      found = await this.#deps.driver.describeTopics(names)
    }
    return found
  }

  async #areLed(names: readonly string[], found: ReadonlyMap<string, unknown>): Promise<boolean> {
    if (found.size < names.length) return false
    const answers = names.map((name) => this.#deps.driver.offsets(name))
    return (await Promise.allSettled(answers)).every(({ status }) => status === 'fulfilled')
  }
}
