/** What a reader of a group does when the broker that coordinates the group dies, and its own partition's leader lives. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Broker, brokerMissing, startCluster } from '../../infra/log/broker.fixture.ts'
import {
  newPrefix,
  openTestKafkaLog,
  plainConnection,
  withAdmin,
} from '../../infra/log/kafka/kafka-log.fixture.ts'
import { eventually, Inbox, numbered } from '../../infra/log/log.fixture.ts'

describe('a coordinator that dies', { skip: brokerMissing(), timeout: 120_000 }, () => {
  let brokers: readonly Broker[] = []

  before(async () => {
    brokers = await startCluster()
  })
  after(() => Promise.all(brokers.map((broker) => broker.stop())))

  const addresses = (): string[] => brokers.map(({ address }) => address)

  /** By partition. */
  const leaders = (topic: string): Promise<number[]> =>
    withAdmin(addresses()[0] ?? '', async (admin) => {
      const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
      const partitions = topics.flatMap((found) => found.partitions)
      return partitions
        .toSorted((a, b) => a.partitionId - b.partitionId)
        .map(({ leader }) => leader)
    })

  /** A name whose group is coordinated by another broker than `leader`. */
  async function groupApart(
    prefix: string,
    leader: number,
  ): Promise<{ group: string; at: number }> {
    const coordinators = await leaders('__consumer_offsets')
    for (let i = 0; ; i += 1) {
      const group = `readers-${i}`
      const at = coordinators[hashOf(`${prefix}${group}`) % coordinators.length] ?? leader
      if (at !== leader) return { group, at }
    }
  }

  it('is left for the next one by the same member, and commits keep nobody waiting', async (t) => {
    const topicPrefix = newPrefix()
    const connection = { ...plainConnection(''), brokers: addresses() }
    const log = await openTestKafkaLog({
      connection,
      topicPrefix,
      replicationFactor: 3,
      minInsyncReplicas: 2,
    })
    t.after(() => log.close())
    await log.ensureTopics([{ name: 'posts', partitions: 1 }])
    const follower = await log.follow('posts', [0], async () => undefined)
    await follower.stop() // the first group of a cluster makes the topic of offsets
    const [leader = 0] = await leaders(`${topicPrefix}posts`)
    const { group, at } = await groupApart(topicPrefix, leader)

    const inbox = new Inbox()
    const waits: number[] = []
    let next = 0
    const consumer = await log.consume(
      { topics: ['posts'], group, startAt: async () => next },
      async (batch) => {
        next = batch.next
        await inbox.take(batch)
        const began = performance.now()
        await consumer.commit('posts', 0, batch.next)
        waits.push(performance.now() - began)
      },
    )
    await log.append('posts', numbered(10))
    await eventually(async () => (await log.committed(group, 'posts'))[0] === 10)
    await brokers[at - 1]?.kill()
    let appended = 10
    await eventually(async () => {
      await log.append('posts', numbered(10, appended))
      appended += 10
      const [committed = -1] = await log.committed(group, 'posts').catch(() => [])
      return committed > 10
    })
    await inbox.until(() => inbox.count === appended)
    assert.deepEqual(log.groups()[0]?.replacements, { ended: 0, unassigned: 0, stalled: 0 })
    assert.ok(Math.max(...waits) < 5_000, 'the client tries a commit for 14 s')
    await consumer.stop()
  })
})

/** Java's, of a string: Kafka takes the group's partition of the topic of offsets from it. */
function hashOf(name: string): number {
  let hash = 0
  for (const char of name) hash = (Math.imul(31, hash) + char.charCodeAt(0)) | 0
  return hash & 0x7fffffff
}
