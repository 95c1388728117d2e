/**
 * `npm run -s build && node dist/bench/huggingface.js RUN`: one worker of one thread against Hugging Face's `pipeline("text-classification")` in Python on the
 * weights of the training run RUN, one thread, on the same texts in turns. `python3` is the one of the activated environment (pipeline/training/encoder).
 * The worker answers both tasks, Hugging Face's pipeline the sentiment alone.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { program } from 'commander'
import Type from 'typebox'
import { Value } from 'typebox/value'
import { packageRoot } from '../infra/package-root.ts'
import { minilmFolder } from '../pipeline/experts/registry.ts'
import { cleanText } from '../pipeline/text/clean.ts'
import type { TextToRead } from '../pipeline/workers/protocol.ts'
import { openPool, readFor, readTexts } from './serving-pool.ts'

const baseline = join(packageRoot, 'pipeline/training/encoder/huggingface_baseline.py')
const rounds = 3
const textsOfRound = 600

const Speeds = Type.Object({ '1': Type.Number(), '32': Type.Number() })

/** Texts a second of one worker with one thread, kept busy for some seconds. */
async function workerSpeed(texts: readonly TextToRead[]): Promise<number> {
  const pool = await openPool(
    {
      folder: minilmFolder,
      provider: 'cpu',
      maxBatchTokens: 256,
      jobTexts: 128,
    },
    { workers: 1, threads: 1 },
  )
  await readFor(pool, texts, 1_000)
  const before = pool.stats().texts
  const began = performance.now()
  await readFor(pool, texts, 4_000)
  const speed = (pool.stats().texts - before) / ((performance.now() - began) / 1_000)
  await pool.close()
  return speed
}

/** Texts a second by batch size. */
function huggingFaceSpeed(python: string, run: string, texts: readonly TextToRead[]) {
  const { status, stdout, stderr } = spawnSync(python, [baseline, '--run', run], {
    input: texts.map(({ text }) => `${JSON.stringify(cleanText(text))}\n`).join(''),
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`${python} ${baseline} failed: ${stderr}`)
  return Value.Parse(Speeds, JSON.parse(stdout))
}

const whole = (value: number) => Math.round(value).toLocaleString('en')

program
  .description("Compare one worker with Hugging Face's pipeline in Python.")
  .argument('<run>', 'folder of the training run')
  .option('--python <program>', 'with the packages of pipeline/training/encoder', 'python3')
  .action(async (run: string, { python }: { python: string }) => {
    const texts = readTexts().slice(0, textsOfRound)
    for (let round = 1; round <= rounds; round++) {
      const ours = await workerSpeed(texts)
      const theirs = huggingFaceSpeed(python, run, texts)
      process.stdout.write(
        `round ${round}: worker ${whole(ours)} texts/s; Hugging Face ${whole(theirs['32'])} in batches of 32, ${whole(theirs['1'])} one by one: ` +
          `${(ours / theirs['32']).toFixed(1)} and ${(ours / theirs['1']).toFixed(1)} times\n`,
      )
    }
  })
  .parse()
