/** The options that every command with a config shares. */
import type { Command } from 'commander'
import { type Config, loadConfig } from '../infra/config.ts'

export interface ConfigOptions {
  readonly config?: string
  readonly dataDir?: string
  readonly url?: string
  readonly port?: string
  readonly kafka?: string
  readonly clickhouse?: string
  readonly provider?: string
  readonly experts?: string
}

export function withConfig(command: Command): Command {
  return command
    .option('--config <file>', 'JSON file with options (docs/configuration.md lists them)')
    .option('--data-dir <folder>', 'folder of the embedded log and store')
}

/** For commands that ask a running monitor. */
export function withMonitor(command: Command): Command {
  return withConfig(command).option(
    '--url <address>',
    'monitor to ask (of a cluster: its dashboards); the one that serves the data folder unless told',
  )
}

/** For commands that read the store themselves where no monitor runs. */
export function withMonitorOrStore(command: Command): Command {
  return withMonitor(command).option('--clickhouse <url>', 'ClickHouse server to read, unasked')
}

export function withServer(command: Command): Command {
  return withConfig(command)
    .option('--port <number>', 'port of pages and API; 0 takes a free one')
    .option('--kafka <host:port,...>', 'Kafka brokers instead of the embedded log')
    .option('--clickhouse <url>', 'ClickHouse server instead of the embedded store')
}

export function withExperts(command: Command): Command {
  return command
    .option('--experts <name,...>', 'experts to load')
    .option('--provider <name>', 'where encoders run: cpu, cuda or webgpu')
}

export function configFrom(options: ConfigOptions): Config {
  return loadConfig({
    file: options.config,
    flags: {
      TICKERTONE_DATA_DIR: options.dataDir,
      TICKERTONE_URL: options.url,
      HTTP_PORT: options.port,
      KAFKA_BROKERS: options.kafka,
      CLICKHOUSE_URL: options.clickhouse,
      WORKERS_PROVIDER: options.provider,
      PIPELINE_EXPERTS: options.experts,
    },
  })
}
