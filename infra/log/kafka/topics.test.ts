/** Topics on a cluster: what is created, what is refused, and what a record may be. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import kafkajs from 'kafkajs'
import { brokerMissing, sharedBroker } from '../broker.fixture.ts'
import { numbered } from '../log.fixture.ts'
import type { Log, TopicSpec } from '../log.ts'
import {
  createElsewhere,
  newPrefix,
  openTestKafkaLog,
  plainConnection,
  withAdmin,
} from './kafka-log.fixture.ts'

const skip = brokerMissing()
const address = skip === false ? await sharedBroker() : ''
const connection = plainConnection(address === '' ? 'localhost:9092' : address)

describe('topics on Kafka', { skip, timeout: 60_000 }, () => {
  const topicPrefix = newPrefix()
  let log: Log
  let strict: Log
  before(async () => {
    log = await openTestKafkaLog({ connection, topicPrefix })
    strict = await openTestKafkaLog({ connection, topicPrefix, createTopics: false })
  })
  after(async () => {
    await log.close()
    await strict.close()
  })

  const madeElsewhere = (topic: string, partitions: number, settings: Record<string, string>) =>
    createElsewhere(address, `${topicPrefix}${topic}`, partitions, settings)

  it('are created with the settings that they need', async () => {
    await log.ensureTopics([
      { name: 'posts', partitions: 3, retentionMs: 3_600_000, retentionBytes: 3_000_000 },
      { name: 'control', partitions: 1 },
    ])
    const wanted = [
      ['message.timestamp.type', 'LogAppendTime', 'LogAppendTime'],
      ['cleanup.policy', 'delete', 'delete'],
      ['retention.ms', '3600000', '-1'],
      ['retention.bytes', '1000000', '-1'],
      ['max.message.bytes', '2097152', '2097152'],
    ] as const
    const [posts, control] = await Promise.all([settingsOf('posts'), settingsOf('control')])
    assert.deepEqual(
      wanted.map(([name]) => [name, posts?.get(name), control?.get(name)]),
      wanted,
    )
    await strict.ensureTopics([
      { name: 'posts', partitions: 3, retentionMs: 1 },
      { name: 'control', partitions: 1 },
    ])
  })

  async function settingsOf(topic: string): Promise<Map<string, string>> {
    const name = `${topicPrefix}${topic}`
    return withAdmin(address, async (admin) => {
      const type = kafkajs.ConfigResourceTypes.TOPIC
      const { resources } = await admin.describeConfigs({
        includeSynonyms: false,
        resources: [{ type, name }],
      })
      const entries = resources[0]?.configEntries ?? []
      return new Map(entries.map(({ configName, configValue }) => [configName, configValue]))
    })
  }

  it('that exist are refused with every fault at once', async () => {
    const ours = { 'message.timestamp.type': 'LogAppendTime' }
    await madeElsewhere('posts.dead', 2, { ...ours, 'cleanup.policy': 'compact' })
    await madeElsewhere('feedback', 1, { ...ours, 'retention.ms': '60000' })
    await madeElsewhere('by-creation', 1, { 'max.message.bytes': '1000' })
    const specs: TopicSpec[] = [
      { name: 'absent', partitions: 4 },
      { name: 'posts.dead', partitions: 1 },
      { name: 'feedback', partitions: 1 },
      { name: 'by-creation', partitions: 1 },
    ]
    const faults = [
      /absent is missing: create it with 4 partitions/,
      /posts\.dead has 2 partitions, not 1/,
      /posts\.dead has cleanup\.policy=compact/,
      /feedback has retention\.ms=60000: set it to -1/,
      /by-creation has message\.timestamp\.type=CreateTime: set it to LogAppendTime/,
      /by-creation has max\.message\.bytes=1000/,
    ]
    await assert.rejects(
      strict.ensureTopics(specs),
      (error: Error & { code?: string }) =>
        error.code === 'LOG' && faults.every((fault) => fault.test(error.message)),
    )
  })

  it('refuse what is larger than they take, before it is sent, and afterwards', async () => {
    await log.ensureTopics([{ name: 'large', partitions: 1 }])
    const huge = [...numbered(1), { key: null, value: Buffer.alloc(2_100_000) }]
    await assert.rejects(log.append('large', huge), { code: 'LOG', retryable: false })
    assert.deepEqual(await log.endOffsets('large'), [0])
    await log.append('large', [{ key: null, value: Buffer.alloc(2_000_000) }])
    await log.append('large', Array(5).fill({ key: 'k', value: Buffer.alloc(600_000) }))
    assert.deepEqual(await log.endOffsets('large'), [6])
    await lowerLimit('large', 1_000)
    // The broker answers before its partitions know of the change.
    const appendUntilRefused = async (): Promise<never> => {
      for (;;) await log.append('large', [{ key: null, value: Buffer.alloc(5_000) }])
    }
    await assert.rejects(appendUntilRefused(), { code: 'LOG', retryable: false })
  })

  const lowerLimit = (topic: string, bytes: number) =>
    withAdmin(address, (admin) =>
      admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: `${topicPrefix}${topic}`,
            configEntries: [{ name: 'max.message.bytes', value: String(bytes) }],
          },
        ],
      }),
    )
})
