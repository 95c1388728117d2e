/**
 * The proof of a provider, before a worker says that it is ready.
 *
 * The CPU must give the logits that the manifest holds. Any other provider must give those of the CPU, run every matrix product itself, and be faster:
 * one that fell back to the CPU would show nothing of it in its answers. Sessions of a proof that fails stay open, for the process ends then.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AppError, describeError } from '../../infra/errors.ts'
import type { EncoderManifest } from '../experts/encoder-artifact.ts'
import type { LoadedEncoder } from './load-encoder.ts'
import { type Placement, placementOf } from './placement.ts'
import { largestDifference, type Probe, probeOf, runProbe } from './probe.ts'
import type { Provider, Ready, WorkerOptions } from './protocol.ts'
import { openSession, type Session } from './session.ts'
import { fillBatch, windowsPerSecond } from './speed.ts'

export interface Proven {
  readonly session: Session
  readonly speed: Ready['speed']
}

/** Largest difference of a logit. */
const tolerances: Readonly<Record<EncoderManifest['precision'], number>> = {
  float32: 1e-3,
  float16: 0.05,
  int8: 0.1,
}

/** Throws `MODEL` when the artifact does not run on this CPU as it should, `PROVIDER` when the provider asked for is not there or no gain. */
export async function openProven(encoder: LoadedEncoder, options: WorkerOptions): Promise<Proven> {
  const { provider, maxBatchTokens, minSpeedup } = options
  const probe = probeOf(encoder)
  const cpu = await openCpu(encoder, options)
  const reference = await proveCpu(encoder, cpu, probe)
  const batch = fillBatch(probe.windows, maxBatchTokens)
  if (provider === 'cpu') {
    const speed = await windowsPerSecond({ cpu }, batch)
    return { session: cpu, speed: { provider: speed.cpu, cpu: speed.cpu } }
  }
  await proveProvider(encoder, options, probe, reference)
  const session = await openProvider(encoder, options)
  const speed = await windowsPerSecond({ provider: session, cpu }, batch)
  if (speed.provider < minSpeedup * speed.cpu)
    throw refusal(
      provider,
      `reads ${speed.provider.toFixed()} windows/s and the CPU ${speed.cpu.toFixed()}; WORKERS_MIN_SPEEDUP asks for ${minSpeedup} times as many`,
    )
  await cpu.close()
  return { session, speed }
}

async function openCpu({ folder, model, manifest }: LoadedEncoder, { threads }: WorkerOptions) {
  try {
    return await openSession({ model, heads: manifest.heads, provider: 'cpu', threads })
  } catch (cause) {
    throw new AppError(
      'MODEL',
      `The model in ${folder} cannot be loaded: ${describeError(cause)}`,
      { cause },
    )
  }
}

async function proveCpu(encoder: LoadedEncoder, cpu: Session, probe: Probe): Promise<Float32Array> {
  const { folder, manifest } = encoder
  const logits = await runProbe(cpu, probe)
  const difference = largestDifference(logits, probe.expected)
  const tolerance = tolerances[manifest.precision]
  if (difference <= tolerance) return logits
  throw new AppError(
    'MODEL',
    `This CPU computes other logits with the model in ${folder} than the machine that made it: they differ by up to ${difference.toPrecision(2)}, and ${tolerance} is allowed. ` +
      'PIPELINE_EXPERTS=linear,lexicon goes on without the model.',
  )
}

/** Same logits, and all matrix products where they should be. */
async function proveProvider(
  encoder: LoadedEncoder,
  options: WorkerOptions,
  probe: Probe,
  reference: Float32Array,
): Promise<void> {
  const { provider } = options
  const { logits, placement } = await profileProbe(encoder, options, probe)
  if (placement.products === 0 || placement.onProvider < placement.products)
    throw refusal(
      provider,
      `leaves ${placement.products - placement.onProvider} of ${placement.products} matrix products to the CPU; it needs an artifact of floats, not of ${encoder.manifest.precision}`,
    )
  const difference = largestDifference(logits, reference)
  const tolerance = tolerances[encoder.manifest.precision]
  if (difference > tolerance)
    throw refusal(
      provider,
      `computes other logits than the CPU: they differ by up to ${difference.toPrecision(2)}, and ${tolerance} is allowed`,
    )
}

/** The runtime writes a profile into a file, under a name of which it chooses the end. */
async function profileProbe(
  encoder: LoadedEncoder,
  options: WorkerOptions,
  probe: Probe,
): Promise<{ logits: Float32Array; placement: Placement }> {
  const folder = mkdtempSync(join(tmpdir(), 'tickertone-profile-'))
  try {
    const session = await openProvider(encoder, options, join(folder, 'probe'))
    const logits = await runProbe(session, probe)
    await session.close()
    const [file = ''] = readdirSync(folder)
    const profile = readFileSync(join(folder, file), 'utf8')
    return { logits, placement: placementOf(profile, options.provider) }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

async function openProvider(
  { model, manifest: { heads } }: LoadedEncoder,
  { provider, threads }: WorkerOptions,
  profilePrefix?: string,
): Promise<Session> {
  const profile = profilePrefix === undefined ? {} : { profilePrefix }
  try {
    return await openSession({ model, heads, provider, threads, ...profile })
  } catch (cause) {
    throw refusal(provider, `cannot be loaded (${describeError(cause)})`, cause)
  }
}

function refusal(provider: Provider, what: string, cause?: unknown): AppError {
  return new AppError('PROVIDER', `The provider ${provider} ${what}. See docs/gpu.md.`, { cause })
}
