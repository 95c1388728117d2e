/**
 * A client that is replaced when it is spoilt. kafkajs asks for all topics that a client ever named at once, so that one that was deleted
 * makes it fail for every other, for ever.
 */
interface Client {
  connect(): Promise<void>
  disconnect(): Promise<void>
}

interface Lease<C> {
  readonly client: C
  connecting: Promise<void> | undefined
  users: number
  isRetired: boolean
}

export class RenewableClient<C extends Client> {
  readonly #create: () => C
  readonly #isSpoiltBy: (error: unknown) => boolean
  #lease: Lease<C>

  constructor(create: () => C, isSpoiltBy: (error: unknown) => boolean) {
    this.#create = create
    this.#isSpoiltBy = isSpoiltBy
    this.#lease = leaseOf(create())
  }

  async connect(): Promise<void> {
    await this.call(async () => undefined)
  }

  /** Once more with a new client, when the first is spoilt: what fails then fails by itself. */
  async call<T>(work: (client: C) => Promise<T>): Promise<T> {
    const lease = this.#lease
    try {
      return await use(lease, work)
    } catch (error) {
      if (!this.#isSpoiltBy(error)) throw error
    }
    if (this.#lease === lease) {
      this.#lease = leaseOf(this.#create())
      lease.isRetired = true
    }
    return use(this.#lease, work)
  }

  async close(): Promise<void> {
    await this.#lease.client.disconnect()
  }
}

function leaseOf<C>(client: C): Lease<C> {
  return { client, connecting: undefined, users: 0, isRetired: false }
}

async function use<C extends Client, T>(
  lease: Lease<C>,
  work: (client: C) => Promise<T>,
): Promise<T> {
  lease.users += 1
  try {
    await connected(lease)
    return await work(lease.client)
  } finally {
    lease.users -= 1
    // `call` retires it in the turn after the failure: whoever is last looks then.
    setImmediate(() => {
      if (lease.isRetired && lease.users === 0) lease.client.disconnect().catch(() => undefined)
    })
  }
}

async function connected<C extends Client>(lease: Lease<C>): Promise<void> {
  lease.connecting ??= lease.client.connect()
  try {
    await lease.connecting
  } catch (error) {
    lease.connecting = undefined
    throw error
  }
}
