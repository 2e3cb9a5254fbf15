// What was dropped, folders with all that is below them.

export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files];
  const files = await Promise.all(entries.map((entry) => below(entry)));
  return files.flat();
}

async function below(entry) {
  if (entry.isFile) return [await new Promise((done, failed) => entry.file(done, failed))];
  const files = [];
  const reader = entry.createReader();
  for (;;) {
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) break;
    for (const each of some) if (!each.name.startsWith(".")) files.push(...(await below(each)));
  }
  return files.sort((one, other) => one.name.localeCompare(other.name));
}
