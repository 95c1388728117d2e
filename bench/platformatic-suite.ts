/**
 * The log's conformance suite over @platformatic/kafka, on a real broker; what fails is told in docs/decisions/0082.
 *
 *   npm run -s build && node --test dist/bench/platformatic-suite.js
 */

import { sharedBroker } from '../infra/log/broker.fixture.ts'
import { newPrefix, plainConnection } from '../infra/log/kafka/kafka-log.fixture.ts'
import { createKafkaLog } from '../infra/log/kafka/kafka-log.ts'
import { logSuite } from '../infra/log/log.suite.ts'
import { silentLogger } from '../infra/logger.ts'
import { driverOver } from './kafka-log.ts'

const connection = plainConnection(await sharedBroker())
const topicPrefix = newPrefix()

logSuite({
  name: 'Kafka by @platformatic/kafka',
  async open() {
    const driver = driverOver('platformatic', connection)
    await driver.connect()
    return createKafkaLog({
      driver,
      logger: silentLogger,
      backoff: { firstMs: 5, maxMs: 20 },
      options: {
        topicPrefix,
        createTopics: true,
        replicationFactor: 1,
        minInsyncReplicas: 0,
        sessionTimeoutMs: 10_000,
      },
    })
  },
})
