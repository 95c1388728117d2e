/** Just enough of the ONNX file format (protocol buffers, onnx.proto) to write a small graph. */

type Field = readonly [number: number, value: number | string | Buffer]

export const float32 = 1
export const int64 = 7
export const float64 = 11

export interface Node {
  readonly op: string
  readonly inputs: readonly string[]
  readonly output: string
  /** Integer attributes. */
  readonly attributes?: Readonly<Record<string, number>>
}

export interface Constant {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array | Float64Array | BigInt64Array
}

export interface Value {
  readonly name: string
  readonly type: number
  /** A name stands for a size that differs from run to run. */
  readonly shape: readonly (number | string)[]
}

export interface Graph {
  readonly inputs: readonly Value[]
  readonly constants: readonly Constant[]
  readonly nodes: readonly Node[]
  readonly outputs: readonly Value[]
}

/** The bytes of a ModelProto. */
export function encodeModel({ inputs, constants, nodes, outputs }: Graph): Buffer {
  const graph = message([
    ...nodes.map((node): Field => [1, encodeNode(node)]),
    [2, 'graph'],
    ...constants.map((constant): Field => [5, encodeConstant(constant)]),
    ...inputs.map((value): Field => [11, encodeValue(value)]),
    ...outputs.map((value): Field => [12, encodeValue(value)]),
  ])
  const opset = message([
    [1, ''],
    [2, 17],
  ])
  return message([
    [1, 8],
    [7, graph],
    [8, opset],
  ])
}

function encodeNode({ op, inputs, output, attributes = {} }: Node): Buffer {
  const integer = 2
  return message([
    ...inputs.map((name): Field => [1, name]),
    [2, output],
    [3, output],
    [4, op],
    ...Object.entries(attributes).map(([name, value]): Field => {
      return [
        5,
        message([
          [1, name],
          [3, value],
          [20, integer],
        ]),
      ]
    }),
  ])
}

function encodeConstant({ name, shape, values }: Constant): Buffer {
  return message([
    ...shape.map((size): Field => [1, size]),
    [2, elementType(values)],
    [8, name],
    [9, Buffer.from(values.buffer, values.byteOffset, values.byteLength)],
  ])
}

function elementType(values: Constant['values']): number {
  if (values instanceof Float32Array) return float32
  return values instanceof Float64Array ? float64 : int64
}

function encodeValue({ name, type, shape }: Value): Buffer {
  const sizes = shape.map((size): Field => {
    return [1, message([[typeof size === 'number' ? 1 : 2, size]])]
  })
  const tensor = message([
    [1, type],
    [2, message(sizes)],
  ])
  return message([
    [1, name],
    [2, message([[1, tensor]])],
  ])
}

/** Numbers as varints, everything else with its length before it. */
function message(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, value]) => {
      if (typeof value === 'number') return [varint(number * 8), varint(value)]
      const bytes = Buffer.from(value)
      return [varint(number * 8 + 2), varint(bytes.length), bytes]
    }),
  )
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) + 128)
  return Buffer.from([...bytes, rest])
}
