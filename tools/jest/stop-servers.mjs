export default async function stopServers() {}
