/** The store of a data folder that no monitor serves. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../infra/config.ts'
import { AppError } from '../infra/errors.ts'
import { openEmbeddedStore } from '../infra/store/embedded.ts'
import { openServerStore } from '../infra/store/server.ts'
import type { Store } from '../infra/store/store.ts'

export const storeFolder = (config: Config) => join(config.dataDir, 'store')
export const logFolder = (config: Config) => join(config.dataDir, 'log')

export function openStore(config: Config): Promise<Store> {
  return config.clickhouse.url === ''
    ? openEmbeddedStore({ path: storeFolder(config) })
    : openServerStore({ url: config.clickhouse.url })
}

/** Opens what is there, does something with it, and closes it; a data folder that was never used is refused, not made. */
export async function withStore<T>(config: Config, use: (store: Store) => Promise<T>): Promise<T> {
  if (config.clickhouse.url === '' && !existsSync(storeFolder(config))) {
    throw new AppError(
      'DATA_FOLDER',
      `${config.dataDir} holds no store: name the right folder with --data-dir, or run \`tickertone start\` first`,
    )
  }
  const store = await openStore(config)
  try {
    return await use(store)
  } finally {
    await store.close()
  }
}
