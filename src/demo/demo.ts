export async function demo(_dist: string): Promise<number> { return 125; }
