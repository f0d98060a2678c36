// What is asked of the server. An answer that is no success becomes an Error with the server's own words.

const UNREACHABLE = "The server does not answer. Is levelfield rate still running? What you entered is still here: try again.";

export async function ask(address, answer) {
  const request = answer === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(answer),
  };
  let response;
  try {
    response = await fetch(address, request);
  } catch {
    throw new Error(UNREACHABLE);
  }
  if (!response.ok) throw new Error(await response.text() || `The server answered ${response.status}.`);
  return response.json();
}
