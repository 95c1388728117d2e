import { describe } from 'node:test'
import { brokerMissing, sharedBroker } from '../broker.fixture.ts'
import { logSuite } from '../log.suite.ts'
import { newPrefix, openTestKafkaLog, plainConnection } from './kafka-log.fixture.ts'

const skip = brokerMissing()
const address = skip === false ? await sharedBroker() : ''

describe('Kafka', { skip }, () => {
  const topicPrefix = newPrefix()
  logSuite({
    name: 'Kafka',
    open: () => openTestKafkaLog({ connection: plainConnection(address), topicPrefix }),
  })
})
