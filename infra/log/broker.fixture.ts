/**
 * A real Kafka broker (or three) for tests, as child processes in KRaft mode. Its Java archives are fetched by `npm run broker:install`,
 * which needs Maven; without them, or without Java, the tests that need a broker are skipped, and fail where CI is set.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after } from 'node:test'
import { packageRoot } from '../package-root.ts'

const folder = join(packageRoot, 'infra', 'log', 'broker')
const classPath = join(folder, 'lib', '*')
const clusterId = 'MkU3OEVBNTcwNTJENDM2Qg'
/** Environment variable with the address of a broker that runs already: all test files of one run share it. */
export const sharedAddress = 'TICKERTONE_TEST_BROKER'

export interface Broker {
  /** Of the listener for clients, 'host:port'. */
  readonly address: string
  /** To pause it with SIGSTOP; 0 while it does not run. */
  readonly pid: number
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  /** After `kill`, on the same folder and ports; resolves when it serves again. */
  restart(): Promise<void>
  /** Ends it for good and removes its folder. Idempotent. */
  stop(): Promise<void>
}

export interface BrokerOptions {
  /** Server properties beside, or instead of, those of a small test broker. */
  readonly properties?: Readonly<Record<string, string>>
  /** A second listener at a port of its own, that tells clients to come to `advertised` ('host:port'): a proxy. */
  readonly proxied?: { readonly port: number; readonly advertised: string }
  /** Who may log in by SCRAM: 'SCRAM-SHA-256=[name=who,password=word]', and so on. */
  readonly logins?: readonly string[]
}

/** Why a test that needs a broker is skipped, or false. */
export function brokerMissing(): string | false {
  // biome-ignore lint/style/noProcessEnv: not configuration of ours, but how CI systems say what they are
  if (process.env.CI === 'true') return false
  if (!existsSync(join(folder, 'lib'))) return 'no Kafka broker here: run `npm run broker:install`'
  if (spawnSync('java', ['-version']).status !== 0) return 'Java is not installed'
  return false
}

/**
 * The address of a broker for tests that take fresh names and do it no harm: the one that the whole run shares, or one of this file,
 * gone after its tests.
 */
export async function sharedBroker(): Promise<string> {
  // biome-ignore lint/style/noProcessEnv: set by the run of the whole suite alone
  const running = process.env[sharedAddress]
  if (running !== undefined) return running
  const broker = await startBroker()
  after(() => broker.stop())
  return broker.address
}

/** One broker of its own, for tests that kill it or that need other properties. Ready when it resolves, in 3 to 5 s. */
export async function startBroker(options: BrokerOptions = {}): Promise<Broker> {
  const [client = 0, controller = 0] = await freePorts(2)
  const properties = {
    ...listeners(client, controller, options.proxied),
    'controller.quorum.voters': `1@127.0.0.1:${controller}`,
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    ...options.properties,
  }
  const broker = createBroker(1, client, properties, options.logins)
  await broker.restart()
  return broker
}

/** Three brokers of which one may die: every topic needs two of three. `address` of each. */
export async function startCluster(options: BrokerOptions = {}): Promise<readonly Broker[]> {
  const ports = await freePorts(6)
  const voters = [1, 2, 3].map((id) => `${id}@127.0.0.1:${ports[id + 2]}`).join(',')
  const brokers = [1, 2, 3].map((id) =>
    createBroker(id, ports[id - 1] ?? 0, {
      ...listeners(ports[id - 1] ?? 0, ports[id + 2] ?? 0, undefined),
      'controller.quorum.voters': voters,
      'offsets.topic.replication.factor': '3',
      'transaction.state.log.replication.factor': '3',
      'transaction.state.log.min.isr': '2',
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
      'replica.lag.time.max.ms': '3000',
      ...options.properties,
    }),
  )
  try {
    await Promise.all(brokers.map((broker) => broker.restart()))
  } catch (error) {
    await Promise.all(brokers.map((broker) => broker.stop()))
    throw error
  }
  return brokers
}

function listeners(
  client: number,
  controller: number,
  proxied: BrokerOptions['proxied'],
): Record<string, string> {
  const through = proxied === undefined ? '' : `,PROXIED://127.0.0.1:${proxied.port}`
  const advertised = proxied === undefined ? '' : `,PROXIED://${proxied.advertised}`
  return {
    listeners: `PLAINTEXT://127.0.0.1:${client},CONTROLLER://127.0.0.1:${controller}${through}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${client}${advertised}`,
  }
}

/** Small, quick to elect and to notice a death. */
const smallBroker = {
  'process.roles': 'broker,controller',
  'controller.listener.names': 'CONTROLLER',
  'listener.security.protocol.map':
    'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,PROXIED:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL',
  'inter.broker.listener.name': 'PLAINTEXT',
  'num.partitions': '3',
  'offsets.topic.num.partitions': '4',
  'transaction.state.log.num.partitions': '4',
  'share.coordinator.state.topic.num.partitions': '4',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '1000',
  'auto.create.topics.enable': 'false',
  'log.cleaner.dedupe.buffer.size': '16777216',
  'broker.heartbeat.interval.ms': '500',
  'broker.session.timeout.ms': '1500',
}

function createBroker(
  id: number,
  port: number,
  own: Readonly<Record<string, string>>,
  logins: readonly string[] = [],
): Broker {
  const home = mkdtempSync(join(tmpdir(), 'tickertone-broker-'))
  const file = join(home, 'server.properties')
  const properties = {
    'node.id': String(id),
    'log.dirs': join(home, 'data'),
    ...smallBroker,
    ...own,
  }
  writeFileSync(
    file,
    Object.entries(properties)
      .map(([key, value]) => `${key}=${value}\n`)
      .join(''),
  )
  let child: ChildProcess | undefined
  let formatted = false

  async function kill(signal: NodeJS.Signals): Promise<void> {
    const running = child
    child = undefined
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return
    const gone = once(running, 'exit')
    running.kill(signal)
    await gone
  }

  return {
    address: `127.0.0.1:${port}`,
    get pid() {
      return child?.pid ?? 0
    },
    kill: () => kill('SIGKILL'),
    async restart() {
      if (!formatted) {
        const format = ['kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', file]
        const scram = logins.flatMap((login) => ['--add-scram', login])
        await finished(java([...format, '--ignore-formatted', ...scram], home))
        formatted = true
      }
      child = java(['kafka.Kafka', file], home)
      await untilItSays(child, 'Kafka Server started')
    },
    async stop() {
      await kill('SIGKILL')
      rmSync(home, { recursive: true, force: true })
    },
  }
}

function java(args: readonly string[], cwd: string): ChildProcess {
  const options = [
    '-Xms128m',
    '-Xmx512m',
    '-XX:+UseSerialGC',
    '-XX:TieredStopAtLevel=1',
    `-Dlog4j2.configurationFile=${join(folder, 'log4j2.properties')}`,
    '-Dkafka.log.level=INFO',
  ]
  return spawn('java', [...options, '-cp', classPath, ...args], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

async function finished(child: ChildProcess): Promise<void> {
  const said = output(child)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the broker's folder was not formatted: ${said()}`)
}

async function untilItSays(child: ChildProcess, sentence: string): Promise<void> {
  const said = output(child)
  const ended = new AbortController()
  const ready = new Promise<void>((resolve) => {
    if (child.stdout === null) return
    createInterface(child.stdout).on('line', (line) => {
      if (line.includes(sentence)) resolve()
    })
  })
  const died = once(child, 'exit', { signal: ended.signal }).then(
    () => {
      throw new Error(`the broker ended before it was ready: ${said()}`)
    },
    () => undefined,
  )
  await Promise.race([ready, died])
  ended.abort()
}

/** The last of what a process says; read all the time, or its pipes would fill and stop it. */
function output(child: ChildProcess): () => string {
  let last = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      last = `${last}${chunk}`.slice(-4_000)
    })
  return () => last
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))))
  return ports
}
