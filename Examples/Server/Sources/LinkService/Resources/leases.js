// Shows who holds the connections and who waits for one, while that part of the page is open.
const details = document.querySelector("#holders");
const text = document.querySelector("#leases");

async function refresh() {
  if (!details.open) return;
  try {
    text.textContent = await (await fetch("/pool/leases")).text();
  } catch {
    text.textContent = "The service cannot be reached.";
  }
}

details.addEventListener("toggle", refresh);
setInterval(refresh, 1000);
