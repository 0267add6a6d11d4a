package main

var poolPage = section{"pool", []row{
	{"an empty pool is equal to the table", func(b *browser) {
		b.open("/pool")
		b.sees("table and pool are equal")
		b.look("pool-empty")
	}},
	{"import 1,000 users: their rows are missing", func(b *browser) {
		b.click("Import 1000 users")
		b.sees("1000 users were imported", "1000 rows are not equal to the pool")
	}},
	{"run reconcile: every row is written", func(b *browser) {
		b.click("Run reconcile")
		b.sees("The reconcile function ran", "table and pool are equal", "1 planned", "1 reconciled")
		b.look("pool-reconciled")
	}},
	{"edit, disable, delete: drift", func(b *browser) {
		b.click("Edit 5 users")
		b.sees("5 users were edited", "5 rows are not equal to the pool", "5 changes wait in the queue")
		b.click("Delete 5 users")
		b.sees("5 users were deleted")
		b.click("Disable 5 users")
		b.sees("5 users were disabled", "10 rows are not equal to the pool", "15 changes wait in the queue")
	}},
	{"a dry run of the command line counts the drift", func(b *browser) {
		b.click("Dry run of reconcile")
		b.sees("Dry run: nothing was written.", "to mark", "10 rows are not equal to the pool")
		b.look("pool-dry-run")
	}},
	{"run follow: the table is equal again", func(b *browser) {
		b.click("Run follow")
		b.sees("The follow function got 15 changes", "table and pool are equal", "0 changes wait in the queue")
		b.look("pool-followed")
	}},
}}
