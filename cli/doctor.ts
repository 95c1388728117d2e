/** `tickertone doctor`: checks what the monitor needs on this machine, and names the fix of what is missing. */
import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Command } from 'commander'
import { isLoopback } from '../dashboards/security.ts'
import { type Config, workerEnvironment } from '../infra/config.ts'
import { AppError, describeError } from '../infra/errors.ts'
import { silentLogger } from '../infra/logger.ts'
import { packageRoot } from '../infra/package-root.ts'
import { findRunning } from '../infra/running.ts'
import { createLinker } from '../pipeline/entities/link.ts'
import { type EncoderName, encoderFolders, encoderOf } from '../pipeline/experts/registry.ts'
import { noRoom } from '../pipeline/workers/memory-ceiling.ts'
import { proveWorker } from '../pipeline/workers/prove-worker.ts'
import { forkWorker } from '../pipeline/workers/worker-process.ts'
import { checkClickHouse, checkKafka } from './doctor-cluster.ts'
import { type ConfigOptions, configFrom, withExperts, withServer } from './options.ts'
import { usesKafka } from './wiring/open-log.ts'

interface Finding {
  readonly check: string
  readonly ok: boolean
  readonly detail: string
}

type Check = () => Promise<string>

const run = promisify(execFile)
const megabyte = 1024 ** 2
const gigabyte = 1024 ** 3
const wantedDiskBytes = 2 * gigabyte
/** A GPU's first programs are compiled meanwhile. */
const encoderWithinMs = 120_000
const nativeParts = ['lmdb', 'chdb', 'onnxruntime-node']

export function doctorCommand(): Command {
  return withExperts(withServer(new Command('doctor')))
    .description(
      'Check Node, disk, native parts, port, data folder, config, encoders, and a cluster',
    )
    .option('--json', 'print one JSON document')
    .action(async (options: ConfigOptions & { json?: boolean }) => {
      const findings = await examine(options)
      process.stdout.write(
        options.json ? `${JSON.stringify(findings, null, 2)}\n` : findings.map(lineOf).join(''),
      )
      if (findings.some((finding) => !finding.ok)) process.exitCode = 1
    })
}

const lineOf = ({ ok, check, detail }: Finding) => `${ok ? 'ok  ' : 'FAIL'} ${check}: ${detail}\n`

async function examine(options: ConfigOptions): Promise<Finding[]> {
  const findings = [await finding('node', checkNode)]
  for (const part of nativeParts)
    findings.push(await finding(`native part ${part}`, () => checkNative(part)))
  let config: Config
  try {
    config = configFrom(options)
    findings.push({ check: 'config', ok: true, detail: 'valid' })
  } catch (error) {
    return [...findings, { check: 'config', ok: false, detail: describeError(error) }]
  }
  const running = await findRunning(config.dataDir)
  for (const name of encodersOf(config))
    findings.push(await finding(`encoder ${name}`, () => checkEncoder(name, config)))
  if (usesKafka(config)) findings.push(await finding('kafka', () => checkKafka(config)))
  if (config.clickhouse.url !== '')
    findings.push(await finding('clickhouse', () => checkClickHouse(config)))
  return [
    ...findings,
    await finding('data folder', () => checkFolder(config.dataDir, running)),
    await finding('disk', () => checkDisk(config.dataDir)),
    await finding('instruments', () => checkInstruments(config)),
    await finding('port', () => checkPort(config, running)),
  ]
}

async function finding(check: string, examination: Check): Promise<Finding> {
  try {
    return { check, ok: true, detail: await examination() }
  } catch (error) {
    return { check, ok: false, detail: describeError(error) }
  }
}

async function checkNode(): Promise<string> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    throw new AppError('UNSUPPORTED', `${process.version} is too old: install Node 20.19 or newer`)
  return process.version
}

/** Loads the part in a process of its own: a broken native part can end the process that loads it. */
async function checkNative(part: string): Promise<string> {
  const script = `await import(${JSON.stringify(part)})`
  try {
    await run(process.execPath, ['--input-type=module', '-e', script], {
      cwd: packageRoot,
      timeout: 60_000,
    })
  } catch (cause) {
    throw new AppError(
      'UNSUPPORTED',
      `does not load on ${process.platform} ${process.arch}; run \`npm ci\` again (optional dependencies must be installed)`,
      { cause },
    )
  }
  return `loads on ${process.platform} ${process.arch}`
}

async function checkFolder(dataDir: string, running: string | undefined): Promise<string> {
  const folder = resolve(dataDir)
  if (running !== undefined) return `${folder}, served by ${running}`
  const place = nearestExisting(folder)
  try {
    if (!statSync(place).isDirectory()) throw new AppError('DATA_FOLDER', `${place} is no folder`)
    accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (cause) {
    throw new AppError(
      'DATA_FOLDER',
      `${describeError(cause)}: make it a writable folder, or choose another with --data-dir`,
      { cause },
    )
  }
  return place === folder ? `${folder} is writable` : `${folder} can be made`
}

/** The folder, or the part of its path that is there. */
function nearestExisting(folder: string): string {
  return existsSync(folder) ? folder : nearestExisting(dirname(folder))
}

async function checkDisk(dataDir: string): Promise<string> {
  const { bavail, bsize } = statfsSync(nearestExisting(resolve(dataDir)))
  const free = `${((bavail * bsize) / gigabyte).toFixed(1)} GiB free`
  if (bavail * bsize < wantedDiskBytes)
    throw new AppError('DISK_FULL', `${free}, at least 2 GiB wanted: free some space there`)
  return free
}

async function checkInstruments({ pipeline: { overridesFile } }: Config): Promise<string> {
  createLinker(overridesFile === '' ? {} : { overridesFile })
  return overridesFile === '' ? 'gazetteers load' : `gazetteers and ${overridesFile} load`
}

function encodersOf({ pipeline: { experts } }: Config): EncoderName[] {
  return experts.filter((expert) => expert in encoderFolders) as EncoderName[]
}

/** Loads it as the monitor would, in a worker that proves its provider. */
async function checkEncoder(name: EncoderName, { pipeline: { workers } }: Config): Promise<string> {
  const { manifest, options } = encoderOf(name, workers)
  const { provider, speed, memoryBytes } = await proveWorker(
    forkWorker({ options, environment: workerEnvironment(), logger: silentLogger }),
    encoderWithinMs,
  )
  const refusal = noRoom(memoryBytes, workers.memoryMegabytes * megabyte)
  if (refusal !== undefined) throw refusal
  const cpu = `${speed.cpu.toFixed()} windows/s on one core`
  const memory = `${Math.ceil(memoryBytes / megabyte)} MB`
  return provider === 'cpu'
    ? `${manifest.precision}, same numbers as where it was made, ${cpu}, ${memory}`
    : `${manifest.precision}, ${provider} computes what the CPU does: ${speed.provider.toFixed()} windows/s, and ${cpu}, ${memory}`
}

async function checkPort(config: Config, running: string | undefined): Promise<string> {
  if (running !== undefined) return `the monitor answers at ${running}`
  const { host, port } = config.http
  if (!isLoopback(host))
    throw new AppError(
      'CONFIG',
      `${host} (HTTP_HOST) is refused: only loopback works without a login`,
    )
  try {
    await new Promise<void>((free, taken) => {
      const server = createServer().once('error', taken)
      server.listen(port, host, () => server.close(() => free()))
    })
  } catch (cause) {
    throw new AppError(
      'PORT_IN_USE',
      `${describeError(cause)}: choose another port with --port, 0 takes a free one`,
      { cause },
    )
  }
  return `${host}:${port} is free`
}
