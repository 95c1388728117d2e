/** The broker and the store of broker runs: started once, killed and started again by the runs that do so. */
import { randomUUID } from 'node:crypto'
import { Kafka, logLevel, type Producer } from 'kafkajs'
import { type Broker, startBroker } from '../../infra/log/broker.fixture.ts'
import { partitionOfKey } from '../../infra/log/partitioner.ts'
import { temporaryFolder } from '../../infra/store/analyses.fixture.ts'
import { type FrontProcess, startFrontProcess } from '../../infra/store/http-front.fixture.ts'
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.fixture.ts'

export class Cluster {
  readonly broker: Broker
  /** Between pipelines and the store. */
  readonly proxy: FaultProxy
  readonly #folder: ReturnType<typeof temporaryFolder>
  #front: FrontProcess
  #restarting: Promise<void> = Promise.resolve()
  #aborter: Promise<Producer> | undefined

  private constructor(
    broker: Broker,
    folder: ReturnType<typeof temporaryFolder>,
    front: FrontProcess,
    proxy: FaultProxy,
  ) {
    this.broker = broker
    this.#folder = folder
    this.#front = front
    this.proxy = proxy
  }

  static async start(): Promise<Cluster> {
    const folder = temporaryFolder()
    const [broker, front] = await Promise.all([
      startBroker({ properties: { 'group.min.session.timeout.ms': '1000' } }),
      startFrontProcess({ path: folder.path }),
    ])
    const proxy = await startFaultProxy({ host: '127.0.0.1', port: front.port })
    return new Cluster(broker, folder, front, proxy)
  }

  /** The store, without faults in between. */
  get storeUrl(): string {
    return this.#front.url
  }

  get proxiedStoreUrl(): string {
    return `http://${this.proxy.host}:${this.proxy.port}`
  }

  /** One restart at a time: a second kill would end a broker that is starting. */
  restartBroker(): Promise<void> {
    this.#restarting = this.#restarting.then(async () => {
      await this.broker.kill()
      await this.broker.restart()
    })
    return this.#restarting
  }

  restartStore(): Promise<void> {
    this.#restarting = this.#restarting.then(async () => {
      const { port } = this.#front
      await this.#front.kill()
      this.#front = await startFrontProcess({ path: this.#folder.path, port })
    })
    return this.#restarting
  }

  /** A record of a transaction that is given up: its offset, and that of the marker behind it, hold nothing for a reader. */
  async appendAborted(topic: string, partitions: number, value: string): Promise<void> {
    this.#aborter ??= connectAborter(this.broker.address)
    try {
      const producer = await this.#aborter
      const transaction = await producer.transaction()
      const partition = partitionOfKey(randomUUID(), partitions)
      await transaction.send({ topic, messages: [{ value, partition }] })
      await transaction.abort()
    } catch {
      // The broker was killed: whether the offsets are there is nobody's business.
      await this.#disconnect()
    }
  }

  async stop(): Promise<void> {
    await this.#disconnect()
    await this.proxy.close()
    await this.#front.kill()
    await this.broker.stop()
    this.#folder.remove()
  }

  async #disconnect(): Promise<void> {
    const aborter = this.#aborter
    this.#aborter = undefined
    await aborter?.then((producer) => producer.disconnect()).catch(() => undefined)
  }
}

async function connectAborter(broker: string): Promise<Producer> {
  const kafka = new Kafka({ brokers: [broker], clientId: 'chaos', logLevel: logLevel.NOTHING })
  const producer = kafka.producer({
    transactionalId: `chaos-${randomUUID()}`,
    idempotent: true,
    maxInFlightRequests: 1,
    transactionTimeout: 5_000,
  })
  await producer.connect()
  return producer
}
