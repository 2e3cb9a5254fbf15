// Calls of the server, and its refusals as errors in its own words.

const PATIENT = 6; // times that a full queue is waited for
const SILENT = "the server does not answer; is it still running?";

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }

  /** It is not the photo's fault, nor a choice's: the same may go well later. */
  get mayPass() { return ![400, 413, 422].includes(this.status); }
}

/** The server's answer to a question that changes nothing. Throws Refused. */
export async function ask(address, signal) {
  const answer = await fetch(address, { signal }).catch((error) => { throw signal?.aborted ? error : new Refused(0, SILENT); });
  if (!answer.ok) throw refusal(answer.status, await answer.text());
  return answer.json();
}

/**
 * Sends a file, and the `parts` beside it by their names; `told` gets what share of it has gone, 0 to 1.
 * Gives an XMLHttpRequest whose response is of `type`.
 */
export async function send(path, options, file, type, { told = () => {}, parts = {} } = {}) {
  for (let turn = 1; ; turn += 1) {
    const answer = await once(`${path}?${new URLSearchParams(options)}`, { file, ...parts }, type, told);
    if (answer.status < 400) return answer;
    if (answer.status !== 503 || turn === PATIENT) throw await refusalOf(answer);
    const seconds = Math.min(20, Number(answer.getResponseHeader("Retry-After")) || 2);
    await new Promise((go) => setTimeout(go, 1000 * seconds));
  }
}

function once(address, parts, type, told) {
  return new Promise((done, failed) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.responseType = type;
    request.upload.onprogress = (event) => told(event.loaded / event.total);
    request.onload = () => done(request);
    request.onerror = () => failed(new Refused(0, `${parts.file.name}: ${SILENT}`));
    const body = new FormData();
    for (const [name, file] of Object.entries(parts)) body.append(name, file, file.name);
    request.send(body);
  });
}

async function refusalOf(request) {
  const text = request.response instanceof Blob ? await request.response.text() : JSON.stringify(request.response);
  return refusal(request.status, text);
}

function refusal(status, text) {
  if (status === 401) return new Refused(status, "this server wants its token again: reload the page");
  return new Refused(status, words(text) ?? `the server answers ${status}`);
}

function words(text) {
  try {
    return JSON.parse(text).detail;
  } catch {
    return undefined;
  }
}

/** The file name that an answer proposes. */
export function proposedName(request, otherwise) {
  const said = request.getResponseHeader("Content-Disposition") ?? "";
  const encoded = /filename\*=utf-8''([^;]+)/i.exec(said);
  return encoded ? decodeURIComponent(encoded[1]) : (/filename="([^"]+)"/.exec(said)?.[1] ?? otherwise);
}

/** At most so many at once: gives a function that runs work when its turn comes. */
export function limited(most) {
  let running = 0;
  const waiting = [];
  const next = () => {
    if (running >= most || !waiting.length) return;
    running += 1;
    const { work, done, failed } = waiting.shift();
    work().then(done, failed).finally(() => { running -= 1; next(); });
  };
  return (work) => new Promise((done, failed) => { waiting.push({ work, done, failed }); next(); });
}
