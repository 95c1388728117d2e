import { before, describe } from 'node:test'
import { brokerMissing, sharedBroker } from '../broker.fixture.ts'
import { logSuite } from '../log.suite.ts'
import { newPrefix, openKafkaLog, plainConnection } from './kafka-log.fixture.ts'

describe('Kafka', { skip: brokerMissing() }, () => {
  let address = ''
  before(async () => {
    address = await sharedBroker()
  })
  const topicPrefix = newPrefix()
  logSuite({
    name: 'Kafka',
    open: () => openKafkaLog({ connection: plainConnection(address), topicPrefix }),
  })
})
