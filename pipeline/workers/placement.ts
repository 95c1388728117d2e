/** Where the runtime really ran a model's matrix products, from its own profile: it moves what a provider cannot do to the CPU and says nothing. */
import Type from 'typebox'
import { Value } from 'typebox/value'
import type { Provider } from './protocol.ts'

const runtimeNames: Readonly<Record<Provider, string>> = {
  cpu: 'CPUExecutionProvider',
  cuda: 'CUDAExecutionProvider',
  webgpu: 'WebGpuExecutionProvider',
}

const NodeEvent = Type.Object({
  cat: Type.Literal('Node'),
  args: Type.Object({ op_name: Type.String(), provider: Type.String() }),
})

export interface Placement {
  readonly products: number
  /** Of them. */
  readonly onProvider: number
}

/**
 * Counts runs of MatMul, Gemm, Attention and their fused and quantised kin, which are all but the whole cost of an encoder. Shares of time would mislead:
 * a GPU's nodes are timed as they are queued, and shapes are rightly computed on the CPU.
 */
export function placementOf(profile: string, provider: Provider): Placement {
  const events: unknown = JSON.parse(profile)
  const products = (Array.isArray(events) ? events : [])
    .filter((event) => Value.Check(NodeEvent, event))
    .filter(({ args }) => /MatMul|Gemm|Attention/.test(args.op_name))
  return {
    products: products.length,
    onProvider: products.filter(({ args }) => args.provider === runtimeNames[provider]).length,
  }
}
