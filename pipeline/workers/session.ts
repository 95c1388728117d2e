/** One ONNX Runtime session. `run` blocks the event loop of its process, so only worker processes come here. */
import { env, InferenceSession, Tensor } from 'onnxruntime-node'
import type { EncoderManifest } from '../experts/encoder-artifact.ts'
import type { Provider } from './protocol.ts'

export interface SessionOptions {
  readonly model: Uint8Array
  readonly heads: EncoderManifest['heads']
  readonly provider: Provider
  /** Threads that share one operation. */
  readonly threads: number
  /** Where to write the profile of the runs; nothing is profiled without it. */
  readonly profilePrefix?: string
}

export interface Session {
  /** Logits of windows padded to `length` tokens: a row a window, all heads side by side. */
  run(windows: readonly Int32Array[], length: number): Promise<Float32Array>
  /** Frees the model, and writes the profile if there is one. */
  close(): Promise<void>
}

/** Silent: what goes wrong is thrown, and the runtime's own lines would be no log lines. */
const fatalOnly = 4

/** Rejects with the runtime's own error when model or provider cannot be loaded. */
export async function openSession(options: SessionOptions): Promise<Session> {
  env.logLevel = 'fatal'
  const { heads, profilePrefix } = options
  const session = await InferenceSession.create(options.model, {
    executionProviders: [options.provider],
    intraOpNumThreads: options.threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    // Patterns are kept for each shape, and a stream of texts has no end of shapes.
    enableMemPattern: false,
    logSeverityLevel: fatalOnly,
    ...(profilePrefix === undefined
      ? {}
      : { enableProfiling: true, profileFilePrefix: profilePrefix }),
  })
  return {
    async run(windows, length) {
      const feeds = pad(windows, length)
      const outputs = await session.run(feeds)
      return sideBySide(outputs, heads, windows.length)
    },
    async close() {
      if (profilePrefix !== undefined) session.endProfiling()
      await session.release()
    },
  }
}

/** int64 tensors [windows, length], the mask 1 where a token stands. Written as pairs of 32 bits: a BigInt a token would cost more than the tokenizer. */
function pad(windows: readonly Int32Array[], length: number): Record<string, Tensor> {
  const ids = new Int32Array(2 * windows.length * length)
  const mask = new Int32Array(2 * windows.length * length)
  windows.forEach((window, row) => {
    for (let i = 0; i < window.length; i++) {
      const low = 2 * (row * length + i)
      ids[low] = window[i] ?? 0
      mask[low] = 1
    }
  })
  const shape = [windows.length, length]
  return {
    input_ids: new Tensor('int64', new BigInt64Array(ids.buffer), shape),
    attention_mask: new Tensor('int64', new BigInt64Array(mask.buffer), shape),
  }
}

function sideBySide(
  outputs: InferenceSession.OnnxValueMapType,
  heads: EncoderManifest['heads'],
  rows: number,
): Float32Array {
  const columns = heads.reduce((sum, { labels }) => sum + labels, 0)
  const logits = new Float32Array(rows * columns)
  let column = 0
  for (const { output, labels } of heads) {
    const values = outputs[output]?.data
    if (!(values instanceof Float32Array) || values.length !== rows * labels)
      throw new RangeError(`the output ${output} is not float32 [${rows}, ${labels}]`)
    for (let row = 0; row < rows; row++)
      logits.set(values.subarray(row * labels, (row + 1) * labels), row * columns + column)
    column += labels
  }
  return logits
}
