/** The two forms of the store, each over the real engine: what one suite says of the store, it says of both. */
import { temporaryFolder } from './analyses.fixture.ts'
import { openEmbeddedStore } from './embedded.ts'
import { startFrontProcess } from './http-front.fixture.ts'
import { openServerStore } from './server.ts'
import type { Store } from './store.ts'

export interface OpenedStore {
  readonly store: Store
  /** Closes the store, and removes its folder. */
  close(): Promise<void>
}

export interface Opening {
  readonly name: string
  open(): Promise<OpenedStore>
}

const embedded: Opening = {
  name: 'embedded',
  async open() {
    const folder = temporaryFolder()
    const store = await openEmbeddedStore({ path: folder.path })
    return {
      store,
      async close() {
        await store.close()
        folder.remove()
      },
    }
  },
}

/** In a process of its own, because a process has one folder. */
const onServer: Opening = {
  name: 'on a server',
  async open() {
    const folder = temporaryFolder()
    const front = await startFrontProcess({ path: folder.path })
    const store = await openServerStore({ url: front.url })
    return {
      store,
      async close() {
        await store.close()
        await front.stop()
        folder.remove()
      },
    }
  },
}

export const openings: readonly Opening[] = [embedded, onServer]
