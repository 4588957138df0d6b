// Reads what intarsia/explorer/pack.py writes: a JSON header and arrays, without copying.

const KINDS = {
  u1: Uint8Array, u2: Uint16Array, u4: Uint32Array,
  i1: Int8Array, i2: Int16Array, i4: Int32Array,
  f4: Float32Array, f8: Float64Array,
};

/** @returns {{meta: object, [array: string]: TypedArray}} Arrays by name; shapes are in `shapes`. */
export function unpack(buffer) {
  const view = new DataView(buffer);
  if (view.getUint32(0, false) !== 0x49545331) throw new Error("Not a block of the explorer.");
  const length = view.getUint32(4, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const block = { meta: header.meta, shapes: {} };
  for (const { name, dtype, shape, offset } of header.arrays) {
    const count = shape.reduce((product, side) => product * side, 1);
    block[name] = new KINDS[dtype](buffer, 8 + length + offset, count);
    block.shapes[name] = shape;
  }
  return block;
}
