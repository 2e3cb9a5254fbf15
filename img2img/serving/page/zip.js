// A .zip of files that are compressed already, so that they are only stored (PKWARE's APPNOTE, 4.3).

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});
const UTF8 = 0x0800;
const FIRST_DAY = 0x21; // 1 January 1980

export function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = TABLE[(value ^ byte) & 255] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

/** Of `{ blob, name }`; a name that stands twice gets a number. Below 4 GB. */
export async function zipped(files) {
  const [parts, directory] = [[], []];
  const taken = new Set();
  let offset = 0;
  for (const { blob, name } of files) {
    const label = new TextEncoder().encode(unlike(taken, name));
    const sums = [crc32(new Uint8Array(await blob.arrayBuffer())), blob.size, blob.size];
    const common = numbers([20, 2], [UTF8, 2], [0, 2], [0, 2], [FIRST_DAY, 2], ...sums.map((sum) => [sum, 4]), [label.length, 2], [0, 2]);
    parts.push(numbers([0x04034b50, 4]), common, label, blob);
    directory.push(numbers([0x02014b50, 4], [20, 2]), common, numbers([0, 2], [0, 2], [0, 2], [0, 4], [offset, 4]), label);
    offset += 30 + label.length + blob.size;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const end = numbers([0x06054b50, 4], [0, 2], [0, 2], [files.length, 2], [files.length, 2], [size, 4], [offset, 4], [0, 2]);
  return new Blob([...parts, ...directory, end], { type: "application/zip" });
}

function unlike(taken, name) {
  const dot = name.lastIndexOf(".");
  let free = name;
  for (let number = 2; taken.has(free); number += 1) free = `${name.slice(0, dot)} (${number})${name.slice(dot)}`;
  taken.add(free);
  return free;
}

/** Little-endian numbers, each with its count of bytes. */
function numbers(...pairs) {
  return Uint8Array.from(pairs.flatMap(([value, bytes]) => Array.from({ length: bytes }, (_, index) => (value / 2 ** (8 * index)) & 255)));
}
