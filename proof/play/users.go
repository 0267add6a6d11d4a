package main

var usersPage = page{"users", []row{
	{"the first page is the list of users", func(b *browser) {
		b.open("/")
		b.sees("Users")
		b.look("users-empty")
	}},
}}
