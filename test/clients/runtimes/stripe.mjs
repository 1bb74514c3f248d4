import Stripe from 'stripe';

const { available } = await new Stripe(process.env.STRIPE_SECRET_KEY, { maxNetworkRetries: 0 }).balance.retrieve();
console.log(`stripe: ${available[0].amount} ${available[0].currency}`);
