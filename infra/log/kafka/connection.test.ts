import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { inspect } from 'node:util'
import kafkajs, { type AclOperationTypes } from 'kafkajs'
import { pino } from 'pino'
import { loadConfig } from '../../config.ts'
import type { KafkaOptions } from '../../config-kafka.ts'
import type { AppError } from '../../errors.ts'
import { type Broker, brokerMissing, freePorts, startBroker } from '../../log/broker.fixture.ts'
import { Inbox, numbered, text } from '../log.fixture.ts'
import { connectionOf } from './connection.ts'
import { withAdmin } from './kafka-log.fixture.ts'
import { openKafkaLog } from './open.ts'

const password = 'correct horse'

const optionsOf = (env: Record<string, string>): KafkaOptions =>
  loadConfig({ env: { KAFKA_BROKERS: 'localhost:9092', ...env } }).kafka

describe('options that reach no cluster', () => {
  const cases = [
    { name: 'no broker', env: { KAFKA_BROKERS: '' }, fault: /names no broker/ },
    { name: 'a broker without port', env: { KAFKA_BROKERS: 'kafka' }, fault: /not host:port/ },
    { name: 'a broker with a scheme', env: { KAFKA_BROKERS: 'http://a:1' }, fault: /"http/ },
    { name: 'a port that is none', env: { KAFKA_BROKERS: 'a:1,b:70000' }, fault: /"b:70000"/ },
    {
      name: 'a mechanism without login',
      env: { KAFKA_SASL_MECHANISM: 'plain' },
      fault: /kafka\.sasl\.username.*kafka\.sasl\.password/,
    },
    {
      name: 'a login without mechanism',
      env: { KAFKA_SASL_PASSWORD: password },
      fault: /no mechanism/,
    },
    { name: 'TLS files without TLS', env: { KAFKA_TLS_CA_FILE: 'ca.pem' }, fault: /is false/ },
    {
      name: 'a certificate without key',
      env: { KAFKA_TLS: 'true', KAFKA_TLS_CERT_FILE: 'cert.pem' },
      fault: /go together/,
    },
    {
      name: 'a file that is not there',
      env: { KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: '/nowhere/ca.pem' },
      fault: /kafka\.tls\.caFile: cannot read/,
    },
  ]
  for (const { name, env, fault } of cases)
    it(`are refused: ${name}`, () => {
      assert.throws(
        () => connectionOf(optionsOf(env)),
        (error: AppError) =>
          error.code === 'CONFIG' && fault.test(error.message) && !error.message.includes(password),
      )
    })

  it('are told apart from those that do', () => {
    const { brokers } = connectionOf(optionsOf({ KAFKA_BROKERS: 'a:1, [::1]:9092' }))
    assert.deepEqual(brokers, ['a:1', '[::1]:9092'])
  })
})

describe('a broker that asks who comes', { skip: brokerMissing(), timeout: 90_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tickertone-tls-'))
  const ca = join(folder, 'cert.pem')
  const said: string[] = []
  const logger = pino({ level: 'trace' }, { write: (line: string) => said.push(line) })
  let broker: Broker
  let sasl = 0
  let tls = 0
  let nobody = 0
  let inside = 0

  before(async () => {
    const store = makeCertificate(folder)
    const [controller = 0, ...others] = await freePorts(5)
    ;[inside = 0, sasl = 0, tls = 0, nobody = 0] = others
    const client = `SASL_PLAINTEXT://127.0.0.1:${sasl},SASL_SSL://127.0.0.1:${tls}`
    const mechanisms = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512'
    broker = await startBroker({
      logins: [256, 512].map((bits) => `SCRAM-SHA-${bits}=[name=alice,password=${password}]`),
      properties: {
        listeners: `PLAINTEXT://127.0.0.1:${inside},CONTROLLER://127.0.0.1:${controller},${client}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${inside},${client}`,
        'controller.quorum.voters': `1@127.0.0.1:${controller}`,
        'sasl.enabled.mechanisms': mechanisms,
        'ssl.keystore.type': 'PEM',
        'ssl.keystore.location': store,
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS;User:alice',
        ...jaas('sasl_plaintext'),
        ...jaas('sasl_ssl'),
      },
    })
  })
  after(async () => {
    await broker.stop()
    rmSync(folder, { recursive: true })
  })

  const login = (mechanism: string, word = password): Record<string, string> => ({
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_USERNAME: 'alice',
    KAFKA_SASL_PASSWORD: word,
  })
  const overTls = { KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: ca }
  const open = (port: number, env: Record<string, string>) =>
    openKafkaLog({ options: optionsOf({ ...env, KAFKA_BROKERS: `127.0.0.1:${port}` }), logger })

  const welcome = [
    { name: 'scram-sha-256', port: () => sasl, env: login('scram-sha-256') },
    {
      name: 'scram-sha-512 over TLS',
      port: () => tls,
      env: { ...login('scram-sha-512'), ...overTls },
    },
    { name: 'plain over TLS', port: () => tls, env: { ...login('plain'), ...overTls } },
  ]
  for (const { name, port, env } of welcome)
    it(`lets in who says it right: ${name}`, async () => {
      const log = await open(port(), env)
      const topic = `topic-${randomUUID()}`
      await log.ensureTopics([{ name: topic, partitions: 1 }])
      await log.append(topic, numbered(2))
      const inbox = new Inbox()
      await log.follow(topic, [0], inbox.take)
      await inbox.until(() => inbox.count === 2)
      await log.close()
      assert.deepEqual(inbox.all().map(text), ['v0', 'v1'])
    })

  const refused = [
    {
      name: 'a wrong password, scram',
      port: () => sasl,
      env: login('scram-sha-256', 'wrong horse'),
      message: /refused the login/,
    },
    {
      name: 'a wrong password, plain over TLS',
      port: () => tls,
      env: { ...login('plain', 'wrong horse'), ...overTls },
      message: /refused the login/,
    },
    {
      name: 'no authority for the certificate',
      port: () => tls,
      env: { ...login('plain'), KAFKA_TLS: 'true' },
      message: /over TLS.*certificate/,
    },
    {
      name: 'TLS where none is spoken',
      port: () => sasl,
      env: { ...login('plain'), ...overTls },
      message: /Kafka/,
    },
    {
      name: 'no TLS where it is spoken',
      port: () => tls,
      env: login('plain'),
      message: /No Kafka broker answers/,
    },
    {
      name: 'no login where one is asked for',
      port: () => sasl,
      env: {},
      message: /Kafka/,
    },
    {
      name: 'nobody at the address',
      port: () => nobody,
      env: {},
      message: /No Kafka broker answers at 127\.0\.0\.1:/,
    },
  ]
  for (const { name, port, env, message } of refused)
    it(`tells in one sentence, and in time: ${name}`, async () => {
      await assert.rejects(open(port(), env), (error: AppError) => {
        assert.deepEqual([error.code, error.retryable], ['LOG_UNREACHABLE', true])
        assert.match(error.message, message)
        assert.ok(!/\n/.test(error.message))
        assert.ok(!/horse/.test(inspect(error, { depth: 9 })))
        return true
      })
    })

  const bob = { ...login('plain'), KAFKA_SASL_USERNAME: 'bob' }
  const allow = (topic: string, operations: readonly AclOperationTypes[]) =>
    withAdmin(`127.0.0.1:${inside}`, (admin) =>
      admin.createAcls({
        acl: operations.map((operation) => ({
          ...{ operation, principal: 'User:bob', host: '*' },
          resourceType: kafkajs.AclResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: kafkajs.ResourcePatternTypes.PREFIXED,
          permissionType: kafkajs.AclPermissionTypes.ALLOW,
        })),
      }),
    )

  it('tells who may not see a topic', async () => {
    const log = await open(sasl, bob)
    await assert.rejects(log.ensureTopics([{ name: 'secret', partitions: 1 }]), {
      code: 'LOG',
      message: /does not allow this user to describe the topic secret: grant/,
    })
    // Not as a topic that is missing: that one has no cause.
    await assert.rejects(log.partitions('secret'), ({ message, cause }: AppError) => {
      assert.match(message, /does not allow this user to describe the topic secret: grant/)
      return cause !== undefined
    })
    await log.close()
    const owner = await open(sasl, login('plain'))
    await assert.rejects(owner.partitions('nothing'), ({ code, cause }: AppError) => {
      return code === 'LOG' && cause === undefined
    })
    await owner.close()
  })

  it('checks what it may not create, and tells what it may not read', async () => {
    const { DESCRIBE, DESCRIBE_CONFIGS } = kafkajs.AclOperationTypes
    await allow('made', [DESCRIBE])
    const topics = ['made.a', 'made.b'].map((name) => ({ name, partitions: 1 }))
    const log = await open(sasl, bob)
    await assert.rejects(log.ensureTopics(topics), {
      code: 'LOG',
      message: /made\.a is missing: create it.*made\.b is missing/,
    })
    const owner = await open(sasl, login('plain'))
    await owner.ensureTopics(topics)
    await owner.close()
    await assert.rejects(log.ensureTopics(topics), {
      code: 'LOG',
      message: /settings of made\.a are hidden: allow this user DescribeConfigs/,
    })
    await allow('made', [DESCRIBE_CONFIGS])
    await log.ensureTopics(topics)
    await log.close()
  })

  it('never has its passwords in a log line', () => {
    assert.ok(said.length > 0)
    assert.ok(!said.some((line) => line.includes('horse')))
    assert.ok(
      !said.some((line) => line.includes(Buffer.from('horse').toString('base64').slice(0, 6))),
    )
  })
})

/** Its key and itself in one file, for the broker; and itself in `cert.pem`, for who trusts it. */
function makeCertificate(folder: string): string {
  const [key, cert, store] = ['key.pem', 'cert.pem', 'store.pem'].map((name) => join(folder, name))
  if (key === undefined || cert === undefined || store === undefined) throw new Error('no names')
  execFileSync(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1'],
      ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  )
  writeFileSync(store, readFileSync(key, 'utf8') + readFileSync(cert, 'utf8'))
  return store
}

function jaas(listener: string): Record<string, string> {
  const at = `listener.name.${listener}`
  const modules = 'org.apache.kafka.common.security'
  const scram = `${modules}.scram.ScramLoginModule required;`
  return {
    [`${at}.plain.sasl.jaas.config`]: `${modules}.plain.PlainLoginModule required user_alice="${password}" user_bob="${password}";`,
    [`${at}.scram-sha-256.sasl.jaas.config`]: scram,
    [`${at}.scram-sha-512.sasl.jaas.config`]: scram,
  }
}
